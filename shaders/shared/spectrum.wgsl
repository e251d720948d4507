// The cosine transform of Adam on spectra. A layer's spectrum replaces the f x f taps of each filter and input by as
// many frequencies k = u f + v of the orthonormal transform D[u f + v][i f + j] = C[u][i] C[v][j], stored where the
// parameters would be: [filter][input][k], then the biases, which are not transformed.
// Prelude: WEIGHTS (of the layer, without biases), SIZE (f), START (the layer's first parameter), COSINE_START, LENGTH
// (of the layer's parameters).

const TAPS: u32 = SIZE * SIZE;

// D[k][p]. `cosines` holds C of each layer.
fn cosine(k: u32, p: u32) -> f32 {
    let u = cosines[COSINE_START + k / SIZE * SIZE + p / SIZE];
    return u * cosines[COSINE_START + k % SIZE * SIZE + p % SIZE];
}
