//! Bytes as the text of a signature or a key.

use base64::Engine as _;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};

use crate::provider::schema::SignatureEncoding;

/// Reads base64 with its padding or without: some vendors show a key without.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Writes a signature.
pub fn written(encoding: SignatureEncoding, bytes: &[u8]) -> String {
    match encoding {
        SignatureEncoding::Base64 => STANDARD.encode(bytes),
        SignatureEncoding::Hex => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}

/// Reads a signature; base64 is taken in its one canonical form.
pub fn read(encoding: SignatureEncoding, text: &str) -> Option<Vec<u8>> {
    match encoding {
        SignatureEncoding::Base64 => STANDARD.decode(text).ok(),
        SignatureEncoding::Hex => hexadecimal(text),
    }
}

/// Reads a key in base64.
pub fn base64_key(text: &str) -> Option<Vec<u8>> {
    LENIENT.decode(text).ok()
}

/// Reads hexadecimal of either case.
pub fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|it| u8::try_from(it).ok());
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| Some(digit(*pair.first()?)? << 4 | digit(*pair.get(1)?)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_is_read_in_pairs_of_either_case() {
        assert_eq!(hexadecimal("00fFA0"), Some(vec![0, 255, 160]));
        assert_eq!(hexadecimal(""), Some(Vec::new()));
        for wrong in ["0", "0x", "gg", "a\n", "é", " 00"] {
            assert_eq!(hexadecimal(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_signature_in_base64_has_one_form() {
        assert_eq!(read(SignatureEncoding::Base64, "AAE="), Some(vec![0, 1]));
        for wrong in ["AAE", "AAF=", "AAE=\n", "AAE= ", "A_E="] {
            assert_eq!(read(SignatureEncoding::Base64, wrong), None, "{wrong}");
        }
        assert_eq!(base64_key("AAE"), base64_key("AAE="));
    }
}
