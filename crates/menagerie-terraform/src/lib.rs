//! Menagerie.
