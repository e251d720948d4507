// What a kernel writes at positions outside the picture, for the layer that reads them: nothing of use, the value of
// the nearest pixel (replicate), or zero (zero, normalized).
const PADDING_NONE: u32 = 0u;
const PADDING_REPLICATE: u32 = 1u;
const PADDING_ZERO: u32 = 2u;
