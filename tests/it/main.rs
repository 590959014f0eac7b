//! Tests of the repository as a whole; what one crate can test alone is tested there.

mod input;
mod playground;
mod repository;
