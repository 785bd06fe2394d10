//! The code as a picture: dark squares on white, with the quiet zone of ISO/IEC 18004.

use qrcode::{EcLevel, QrCode, Version, render::svg};

use crate::PrintError;

/// Beyond this version a module is too small for thermal paper at this size.
const LARGEST: i16 = 15;

/// An SVG of `text`; upper case, digits and a few signs take the least room.
pub(crate) fn svg(text: &str) -> Result<String, PrintError> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).map_err(|_| PrintError::Code)?;
    match code.version() {
        Version::Normal(n) if n <= LARGEST => {}
        _ => return Err(PrintError::Code),
    }
    Ok(code.render::<svg::Color<'_>>().quiet_zone(true).build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paper_code_stays_small_and_what_is_too_long_is_refused() {
        let paper = format!("RABTA:{}", "Z8".repeat(82));
        let code = QrCode::with_error_correction_level(&paper, EcLevel::M).expect("it fits");
        assert_eq!(code.version(), Version::Normal(7));
        assert!(svg(&paper).is_ok_and(|svg| svg.contains("<svg")));
        assert!(matches!(svg(&"A".repeat(900)), Err(PrintError::Code)));
    }
}
