//! The rows as a Markdown table.

use super::rows::by_problem;
use super::source::NamedRun;
use super::text::{self, in_markdown};

/// A page with a table for each problem, and the remarks and the provenance of each run.
pub fn page(runs: &[NamedRun<'_>]) -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let mut page = String::new();
    for table in by_problem(runs).iter().map(|rows| rows.texts(|_| true)) {
        page += &format!("## {}\n\n", in_markdown(&table.problem));
        page += &line(table.headings.iter().map(|(heading, _)| in_markdown(heading)).collect());
        let rule = |(_, numeric): &(String, bool)| if *numeric { "---:" } else { "---" }.to_owned();
        page += &line(table.headings.iter().map(rule).collect());
        table.rows.iter().for_each(|cells| page += &line(cells.iter().map(|cell| in_markdown(cell)).collect()));
        page += &table.in_common().map_or_else(|| "\n".to_owned(), |words| format!("\n{}\n\n", in_markdown(&words)));
    }
    for (name, remarks) in runs.iter().map(|run| (&run.name, run.remarks())).filter(|(_, remarks)| !remarks.is_empty())
    {
        page += &format!("Remarks of {}:\n\n", in_markdown(name));
        remarks.iter().for_each(|remark| page += &format!("- {}\n", in_markdown(remark)));
        page.push('\n');
    }
    page += "<details><summary>Where these numbers come from</summary>\n\n";
    for run in runs {
        let lines = run
            .provenance()
            .into_iter()
            .map(|(name, fact)| format!("- {}: `{}`\n", in_markdown(&name), text::printable(&fact).replace('`', "'")));
        page += &format!("{}\n", lines.collect::<String>());
    }
    page + "</details>\n"
}
