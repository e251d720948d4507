// What a kernel writes at positions outside the picture for the next layer: nothing useful, the value of the nearest
// pixel (replicate), or zero (zero, normalized). PADDING in the prelude is one of these.
const PADDING_NONE: u32 = 0u;
const PADDING_REPLICATE: u32 = 1u;
const PADDING_ZERO: u32 = 2u;
