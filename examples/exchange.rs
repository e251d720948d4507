//! What the exchange of a step's gradients takes among the ranks of an MPI job, without anything computed: for the networks
//! 9-1-5 and 9-5-5.
//!
//! `mpirun -n 4 cargo run --release --features mpi --example exchange`

use std::rc::Rc;
use std::time::Instant;

use srcnn_gpu::Architecture;
use srcnn_gpu::ranks::launcher::launched;
use srcnn_gpu::ranks::mpi::Mpi;
use srcnn_gpu::ranks::{Communicator, gather};
use srcnn_gpu::train::gradient_mean::GradientMean;

const TIMES: u32 = 200;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let launched = launched().ok_or("start it with mpirun, as 2 or more ranks")?;
    let ranks: Rc<dyn Communicator> = Rc::new(Mpi::start(launched, || false)?);
    let mut mean = GradientMean::new(ranks.clone(), ranks.size())?;
    for sizes in ["9-1-5", "9-5-5"] {
        let architecture = Architecture::parse(sizes, "64-32", 1)?;
        // As training does it: layer by layer, the last one first.
        let layers = architecture.layers().iter().rev().map(|layer| layer.weights() + layer.filters);
        let mut layers: Vec<Vec<f32>> = layers.map(|count| vec![1.0; count]).collect();
        let mut times = Vec::new();
        for _ in 0..TIMES {
            // All begin at the same time.
            gather(&*ranks, &[1])?;
            let begun = Instant::now();
            for layer in &mut layers {
                mean.apply(layer)?;
            }
            times.push(begun.elapsed());
        }
        times.sort();
        if ranks.rank() == 0 {
            let bytes: usize = layers.iter().map(|layer| layer.len() * 4).sum();
            let [median, most] = [times.len() / 2, times.len() - 1].map(|i| times[i].as_secs_f64() * 1e6);
            println!(
                "{sizes}, {} ranks: {bytes} bytes in {median:.0} us (median), {most:.0} us at most",
                ranks.size()
            );
        }
    }
    Ok(())
}
