//! Typst, with our template and fonts and nothing else.

use typst::foundations::{Dict, Value};
use typst_as_lib::{TypstEngine, TypstTemplateMainFile};
use typst_layout::PagedDocument;

/// A page with a template of its own.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Page {
    Prescription,
    Pictures,
}

impl Page {
    fn template(self) -> &'static str {
        match self {
            Self::Prescription => {
                concat!(include_str!("template/type.typ"), include_str!("template/prescription.typ"))
            }
            Self::Pictures => {
                concat!(include_str!("template/type.typ"), include_str!("template/pictures.typ"))
            }
        }
    }
}

/// SIL OFL 1.1, see fonts/README.md.
const FONTS: [&[u8]; 3] = [
    include_bytes!("../fonts/AtkinsonHyperlegibleNext-Regular.ttf"),
    include_bytes!("../fonts/AtkinsonHyperlegibleNext-Bold.ttf"),
    include_bytes!("../fonts/NotoNastaliqUrdu-Regular.ttf"),
];

/// Why nothing was printed. Says nothing of what was to be printed.
#[derive(Debug, thiserror::Error)]
pub enum PrintError {
    /// The values could not be handed to the template.
    #[error("the page's data has no form that the template reads")]
    Input,
    /// The template did not compile: our mistake, whatever the data.
    #[error("the page could not be set ({0} errors)")]
    Layout(usize),
    #[error("the PDF could not be written ({0} errors)")]
    Pdf(usize),
    /// The code is longer than a thermal printer can print so that it is read.
    #[error("the code does not fit a QR code")]
    Code,
}

/// The PDF of a page's template with `input`.
pub(crate) fn pdf(page: Page, input: &serde_json::Value) -> Result<Vec<u8>, PrintError> {
    let Ok(Value::Dict(input)) = serde_json::from_value::<Value>(input.clone()) else {
        return Err(PrintError::Input);
    };
    let document: PagedDocument = engine(page).compile_with_input::<Dict, _>(input).output.map_err(|e| {
        use typst_as_lib::TypstAsLibError as E;
        PrintError::Layout(if let E::TypstSource(errors) = e { errors.len() } else { 1 })
    })?;
    // No timestamp and no identifier of its own: the same data gives the same bytes.
    let options = typst_pdf::PdfOptions::default();
    typst_pdf::pdf(&document, &options).map_err(|errors| PrintError::Pdf(errors.len()))
}

fn engine(page: Page) -> TypstEngine<TypstTemplateMainFile> {
    TypstEngine::builder().main_file(page.template()).fonts(FONTS).build()
}
