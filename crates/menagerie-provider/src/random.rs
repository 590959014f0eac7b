//! Randomness from the system, without a crate: two small needs, a port and a password.

use std::{fmt::Write as _, fs::File, io, io::Read as _};

/// Returns bytes nobody can guess.
pub(crate) fn bytes<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Returns a password of 192 bits that needs no escaping in a URL or in SQL.
pub(crate) fn password() -> io::Result<String> {
    Ok(hexadecimal(&bytes::<24>()?))
}

/// Writes bytes as lower-case hexadecimal digits.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_differ_and_are_plain() {
        let (one, other) = (password().unwrap(), password().unwrap());
        assert_ne!(one, other);
        assert!(one.len() == 48 && one.chars().all(|character| character.is_ascii_hexdigit()));
    }
}
