//! Tests that need no device: weight files, the evaluation protocol, training data, the course of a training run.

#[path = "../common/mod.rs"]
mod common;

mod architecture;
mod eval;
mod onnx;
mod pytorch;
mod train_data;
mod train_session;
mod weights;
mod weights_mat;
