//! Photos as cameras write them, made fit to keep: turned upright, scaled, without EXIF.

use std::io::Cursor;

use image::{
    DynamicImage, ImageDecoder, ImageReader, Limits, codecs::jpeg::JpegEncoder, imageops::FilterType,
};
use rabta_ipc::Error;

/// The longer side of a kept photo, pixels.
const SIDE: u32 = 1600;
/// The longer side of a thumbnail, pixels.
const THUMB: u32 = 240;
/// The largest file that is read at all.
const MAX_BYTES: usize = 40_000_000;

pub(crate) struct Photo {
    pub jpeg: Vec<u8>,
    pub thumb: Vec<u8>,
    pub width: u32,
    pub height: u32,
}

/// Decodes JPEG, PNG or WebP and encodes a fresh JPEG: what is not pixels (EXIF, GPS, maker notes) does not survive.
/// Errors: `too-large`, `not-an-image`.
pub(crate) fn prepare(bytes: &[u8]) -> Result<Photo, Error> {
    if bytes.len() > MAX_BYTES {
        return Err(Error::new("too-large"));
    }
    let picture = decode(bytes).map_err(|e| match e {
        image::ImageError::Limits(_) => Error::new("too-large"),
        _ => Error::new("not-an-image"),
    })?;
    let full = scaled(&picture, SIDE);
    Ok(Photo {
        jpeg: encode(&full, 82)?,
        thumb: encode(&scaled(&full, THUMB), 70)?,
        width: full.width(),
        height: full.height(),
    })
}

fn decode(bytes: &[u8]) -> image::ImageResult<DynamicImage> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format()?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(20_000);
    limits.max_image_height = Some(20_000);
    limits.max_alloc = Some(400_000_000);
    reader.limits(limits);
    let mut decoder = reader.into_decoder()?;
    let orientation = decoder.orientation()?;
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

fn scaled(picture: &DynamicImage, side: u32) -> DynamicImage {
    if picture.width().max(picture.height()) <= side {
        picture.clone()
    } else {
        picture.resize(side, side, FilterType::Triangle)
    }
}

fn encode(picture: &DynamicImage, quality: u8) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    picture
        .to_rgb8()
        .write_with_encoder(JpegEncoder::new_with_quality(&mut out, quality))
        .map_err(|_| Error::new("not-an-image"))?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_camera_wrote_beside_the_pixels_does_not_survive() {
        let taken = include_bytes!("../../../packages/pk/media/wound.jpg");
        assert!(taken.windows(4).any(|w| w == b"Exif"), "the sample has EXIF");
        let photo = prepare(taken).expect("a photo");
        for kept in [&photo.jpeg, &photo.thumb] {
            assert!(!kept.windows(4).any(|w| w == b"Exif"));
        }
        assert!(photo.width.max(photo.height) <= SIDE && photo.jpeg.len() < 600_000);
    }

    #[test]
    fn what_is_not_a_picture_is_refused() {
        assert_eq!(prepare(b"hello").err(), Some(Error::new("not-an-image")));
        assert_eq!(prepare(&[0; 100]).err(), Some(Error::new("not-an-image")));
    }
}
