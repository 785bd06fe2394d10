//! Typst, with our template and fonts and nothing else.

use typst::foundations::{Dict, Value};
use typst_as_lib::{TypstEngine, TypstTemplateMainFile};
use typst_layout::PagedDocument;

const TEMPLATE: &str = include_str!("template/prescription.typ");

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
}

/// The PDF of the template with `input`.
pub(crate) fn pdf(input: &serde_json::Value) -> Result<Vec<u8>, PrintError> {
    let Ok(Value::Dict(input)) = serde_json::from_value::<Value>(input.clone()) else {
        return Err(PrintError::Input);
    };
    let document: PagedDocument = engine().compile_with_input::<Dict, _>(input).output.map_err(|e| {
        use typst_as_lib::TypstAsLibError as E;
        PrintError::Layout(if let E::TypstSource(errors) = e { errors.len() } else { 1 })
    })?;
    // No timestamp and no identifier of its own: the same data gives the same bytes.
    let options = typst_pdf::PdfOptions::default();
    typst_pdf::pdf(&document, &options).map_err(|errors| PrintError::Pdf(errors.len()))
}

fn engine() -> TypstEngine<TypstTemplateMainFile> {
    TypstEngine::builder().main_file(TEMPLATE).fonts(FONTS).build()
}
