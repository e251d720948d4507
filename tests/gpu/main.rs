//! The library on a device: kernels, inference, training and video against the CPU twins. Each test that opens a
//! device holds `common::alone` for as long as it uses it.

#[path = "../common/mod.rs"]
mod common;

mod autotune;
mod checks;
mod data_parallel;
mod dictionary;
mod embedding;
mod enlarge;
mod forward;
mod fused_workgroup;
mod host;
mod measure;
mod pipeline_cache;
mod precision;
mod regions;
mod shaders;
mod targets;
mod texture_refs;
mod tiles;
mod times;
mod train_kernels;
mod train_validate;
mod training;
mod video;
mod winograd;
