//! The code as a picture: dark squares on white, with the quiet zone of ISO/IEC 18004.

use qrcode::{EcLevel, QrCode, Version, render::svg};

use crate::PrintError;

/// Beyond this version a module is too small for thermal paper at this size.
const LARGEST: i16 = 15;
/// Modules on each side (ISO/IEC 18004, 6.3.8).
const QUIET: usize = 4;

/// A picture and how many modules it is wide, quiet zone included.
pub(crate) struct Qr {
    pub svg: String,
    pub modules: usize,
}

/// Upper case, digits and a few signs take the least room.
pub(crate) fn draw(text: &str) -> Result<Qr, PrintError> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).map_err(|_| PrintError::Code)?;
    match code.version() {
        Version::Normal(n) if n <= LARGEST => {}
        _ => return Err(PrintError::Code),
    }
    let svg = code.render::<svg::Color<'_>>().quiet_zone(true).build();
    Ok(Qr { svg, modules: code.width() + 2 * QUIET })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paper_code_stays_small_and_what_is_too_long_is_refused() {
        let paper = format!("RABTA:{}", "Z8".repeat(82));
        let code = QrCode::with_error_correction_level(&paper, EcLevel::M).expect("it fits");
        assert_eq!(code.version(), Version::Normal(7));
        assert!(draw(&paper).is_ok_and(|qr| qr.svg.contains("<svg") && qr.modules == 53));
        assert!(matches!(draw(&"A".repeat(900)), Err(PrintError::Code)));
    }
}
