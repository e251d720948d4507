//! Vectors of 512 bits for Mesa's software drivers.
//!
//! llvmpipe (OpenGL) and lavapipe (Vulkan) compile kernels for vectors of 256 bits, 8 lanes, even where the processor has
//! AVX-512. With 16 lanes the kernels need half as many instructions (benches/README.md has the figures). Mesa reads the
//! width from the environment, once, when the driver is loaded. The library leaves the environment alone: it belongs to
//! the host.

/// What Mesa reads, in bits.
const WIDTH: &str = "LP_NATIVE_VECTOR_WIDTH";

/// Asks for vectors of 512 bits where the processor has them, unless the user has set a width. Call this before any other
/// thread is started.
#[expect(unsafe_code, reason = "the environment is the only way to tell the driver")]
pub fn ask_for() {
    if has_512_bits() && std::env::var_os(WIDTH).is_none() {
        // SAFETY: no other thread runs yet that could read the environment meanwhile.
        unsafe { std::env::set_var(WIDTH, "512") };
    }
}

/// Whether the processor has what LLVM needs to keep 16 numbers in one register for all that kernels do.
#[cfg(target_arch = "x86_64")]
fn has_512_bits() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl")
}

#[cfg(not(target_arch = "x86_64"))]
fn has_512_bits() -> bool {
    false
}
