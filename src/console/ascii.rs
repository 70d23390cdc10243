//! The last step of a frame on terminals without Unicode: every other character is replaced by an ASCII one.

use ratatui::buffer::Buffer;

/// Replaces what is not ASCII, cell by cell.
pub fn downgrade(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        if !cell.symbol().is_ascii() {
            let stand_in = cell.symbol().chars().next().map_or(' ', stand_in);
            cell.set_char(stand_in);
        }
    }
}

const fn stand_in(character: char) -> char {
    match character {
        '─' | '━' | '–' | '—' | '‑' | '−' | '╌' | '┄' => '-',
        '│' | '┃' | '┆' | '┊' | '║' | '▏' | '▕' => '|',
        '┌' | '┐' | '└' | '┘' | '├' | '┤' | '┬' | '┴' | '┼' | '╭' | '╮' | '╰' | '╯' | '↑' | '↓' => {
            '+'
        }
        '▸' | '▶' | '→' | '›' | '❯' | '»' => '>',
        '◂' | '◀' | '←' | '‹' | '«' => '<',
        '×' => 'x',
        '·' | '•' | '∙' | '◌' => '.',
        '…' => '~',
        '≤' => '<',
        '≥' => '>',
        '±' => '+',
        '✔' => 'v',
        '✘' => 'X',
        '█' | '▓' | '■' => '#',
        '▒' => '=',
        '░' => '.',
        '’' | '‘' | '′' => '\'',
        '“' | '”' => '"',
        'θ' => 'O',
        'φ' => 'f',
        'σ' => 's',
        '∞' => '8',
        '▁' | '▂' => '_',
        '▃' | '▄' => '-',
        '▅' | '▆' => '=',
        '▇' => '#',
        '⇄' => '~',
        '●' | '★' => '*',
        '○' => 'o',
        '‖' => '=',
        '√' => 'V',
        'é' => 'e',
        'ᵘ' => 'u',
        'ᵢ' => 'i',
        'ᵀ' => 'T',
        '⁻' => '-',
        'Σ' => 'S',
        'Φ' => 'F',
        'µ' => 'u',
        '²' => '2',
        _ => '?',
    }
}
