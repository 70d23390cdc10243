//! Figures as SVG, PNG and PDF, with the provenance inside.

use super::drawing::{self, Sheet};
use super::source::NamedRun;
use super::text::{self, escaped};
use crate::lab::LabError;

/// The figure called `title` as a vector drawing.
pub fn svg(sheet: &Sheet, title: &str, runs: &[NamedRun<'_>]) -> Result<String, LabError> {
    let lines = runs.iter().flat_map(NamedRun::provenance);
    let facts: String = lines.map(|(name, text)| format!("{}: {}\n", escaped(&name), escaped(&text))).collect();
    drawing::svg(sheet, &format!("<title>{}</title>\n<metadata>\n{facts}</metadata>\n", escaped(title)))
}

/// The figure in pixels.
pub fn png(sheet: &Sheet, title: &str, runs: &[NamedRun<'_>]) -> Result<Vec<u8>, LabError> {
    drawing::png(sheet, &[("Title", title), ("Description", &facts(runs, ""))])
}

/// The figure as a page.
pub fn pdf(sheet: &Sheet, title: &str, runs: &[NamedRun<'_>]) -> Result<Vec<u8>, LabError> {
    let text = |words: &str| format!("<rdf:Alt><rdf:li xml:lang=\"x-default\">{}</rdf:li></rdf:Alt>", escaped(words));
    let lines = runs.iter().flat_map(NamedRun::provenance);
    let facts: String = lines.map(|(name, text)| format!("{}: {}\n", escaped(&name), escaped(&text))).collect();
    let packet = format!(
        "<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\
         <rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\"><rdf:Description rdf:about=\"\" \
         xmlns:dc=\"http://purl.org/dc/elements/1.1/\"><dc:title>{}</dc:title><dc:description><rdf:Alt>\
         <rdf:li xml:lang=\"x-default\">{facts}</rdf:li></rdf:Alt></dc:description></rdf:Description></rdf:RDF>\
         </x:xmpmeta>\n<?xpacket end=\"r\"?>",
        text(title)
    );
    drawing::pdf(sheet, &packet)
}

/// Where the runs come from, a line for each fact.
pub fn facts(runs: &[NamedRun<'_>], before: &str) -> String {
    let lines = runs.iter().flat_map(NamedRun::provenance);
    lines.map(|(name, fact)| format!("{before}{}\n", text::printable(&format!("{name}: {fact}")))).collect()
}
