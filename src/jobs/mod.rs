//! The work of a command on many pictures or videos: which files to read, which to write, what is up to date already.

mod container;
mod destination;
mod find;
mod index;
mod indexes;
mod job;
mod left_out;
mod lines;
mod name;
mod naming;
mod originals;
mod pattern;
mod plan;
mod results;
mod shard;
mod stamp;
mod target;

pub use container::{Container, Y4M, is_video, is_y4m, may_be_animation};
pub use destination::{Clash, Destination, Existing};
pub use index::{Index, NAME as INDEX, State};
pub use job::Job;
pub use name::Name;
pub use naming::{Naming, OutputFormat, SizeLabel};
pub use originals::{originals, warn_of_results};
pub use plan::{Decision, Kept, Plan, Request};
pub use shard::Shard;
pub use stamp::{Mark, Seen};
pub use target::video_name;
