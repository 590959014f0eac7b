//! The program as it is run: settings, packages and files are real, and small.
