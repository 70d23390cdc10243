//! The rows as a LaTeX table with the rules of the package `booktabs`.

use super::rows::{ColumnHeading, by_problem};
use super::source::NamedRun;
use super::text::{in_latex, printable};

/// A table for each problem with the columns that a compact table has, and the remarks and the provenance of each run as
/// comments.
pub fn page(runs: &[NamedRun<'_>]) -> String {
    let line = |cells: Vec<String>| format!("{} \\\\\n", cells.join(" & "));
    let brief = |column: &ColumnHeading| match column {
        ColumnHeading::Declared(column) => column.brief,
        ColumnHeading::Key(_) => true,
    };
    let mut page = "% \\usepackage{booktabs}\n".to_owned();
    for table in by_problem(runs).iter().map(|rows| rows.texts(brief)) {
        let columns: String = table.headings.iter().map(|(_, numeric)| if *numeric { 'r' } else { 'l' }).collect();
        page += &format!("% {}\n\\begin{{tabular}}{{{columns}}}\n\\toprule\n", printable(&table.problem));
        page += &line(table.headings.iter().map(|(heading, _)| in_latex(heading)).collect());
        page += "\\midrule\n";
        table.rows.iter().for_each(|cells| page += &line(cells.iter().map(|cell| in_latex(cell)).collect()));
        page += "\\bottomrule\n\\end{tabular}\n";
        page += &table.in_common().map_or_else(String::new, |words| format!("% {}\n", printable(&words)));
    }
    for run in runs {
        let remarks = run.remarks();
        let remarks = remarks.iter().map(|remark| format!("% remark: {}\n", printable(remark)));
        let facts = run.provenance();
        let facts = facts.iter().map(|(name, fact)| format!("% {}\n", printable(&format!("{name}: {fact}"))));
        page += &format!("%\n{}{}", remarks.collect::<String>(), facts.collect::<String>());
    }
    page
}
