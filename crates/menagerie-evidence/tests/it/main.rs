//! What this repository's own configuration is made of, and where the resources of its plans are written.

#[cfg(test)]
mod tree;
