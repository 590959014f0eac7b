//! What this repository's own configuration is made of, where the resources of its plans are written, and the page of records.

#[cfg(test)]
mod page;
#[cfg(test)]
mod tree;
