//! `proxy`: real sockets on both sides, a hostile program in front and a hostile API behind. AT-25

mod bodies;
mod ending;
mod gate;
mod passing;
mod running;
mod starting;
mod tokens;
pub mod upstream;
