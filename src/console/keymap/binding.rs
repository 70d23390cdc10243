//! What keys do and where they are pressed: the words of the key table.

/// What a key does; what `Up`, `Edit` and the like mean depends on the place.
#[allow(missing_docs, reason = "the key table says what each does")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    Up,
    Down,
    Left,
    Right,
    PageUp,
    PageDown,
    First,
    Last,
    StepLeft,
    StepRight,
    Closer,
    Wider,
    PanLeft,
    PanRight,
    Whole,
    Outliers,
    Edit,
    Back,
    Sweep,
    Reset,
    Find,
    Fold,
    AsText,
    CommandLine,
    Reopen,
    Run,
    Presets,
    Stop,
    StopAll,
    Pause,
    Zoom,
    Compare,
    LogY,
    LogX,
    Smooth,
    Figure,
    Look,
    Group,
    Above,
    Below,
    Hide,
    Optimise,
    FollowUp,
    More,
    Fewer,
    Save,
    Command,
    Undo,
    Load,
    Remove,
    Filter,
    Complete,
    Sort,
    Resume,
    Rename,
    Tags,
    Delete,
    Mark,
    MarkAll,
    Trash,
    Export,
    Focus,
    Start,
    Grid,
    Target,
    Again,
    Points,
    Sweeps,
    Cancel,
    Throttle,
    Gallery,
    Append,
    SwapBack,
    LeaveRunning,
    LeaveStopping,
    NextPane,
    PreviousPane,
    Tab(usize),
    NextTab,
    PreviousTab,
    Help,
    Quit,
    Interrupt,
    Suspend,
    Redraw,
    Mouse,
}

impl Action {
    /// The name in a user's key file: `log-y`, `tab-1`.
    #[must_use]
    pub fn name(self) -> String {
        if let Self::Tab(index) = self {
            return format!("tab-{}", index + 1);
        }
        let mut name = String::new();
        for character in format!("{self:?}").chars() {
            if character.is_ascii_uppercase() && !name.is_empty() {
                name.push('-');
            }
            name.push(character.to_ascii_lowercase());
        }
        name
    }
}

/// Where keys are pressed; several hold at once, the innermost first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// The parameter form.
    Form,
    /// The choices of a field that are ticked.
    Ticks,
    /// A search by letters.
    Search,
    /// The runs on the opening page.
    Home,
    /// The plots and matrices.
    Figures,
    /// The table of results.
    Results,
    /// What the chosen run remarks.
    Remarks,
    /// Any pane of a problem's tab.
    Problem,
    /// Where there are panes.
    Panes,
    /// The list of the Runs tab.
    Runs,
    /// What there is to know about the chosen run of the list.
    Details,
    /// The chosen run, in the list and beside it.
    Run,
    /// The Log tab.
    Log,
    /// The dialog before a sweep.
    Sweep,
    /// The sweeps on a cluster.
    Sweeps,
    /// A list to choose from.
    List,
    /// A text field.
    Typing,
    /// The editor of a function, while its text is typed.
    Function,
    /// The ready functions beside the editor.
    Gallery,
    /// The help overlay.
    Help,
    /// The question whether to leave.
    Leave,
    /// Every tab, when nothing lies over it.
    Tabs,
    /// Everywhere.
    Always,
}

impl Place {
    /// Its heading in the help.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Form => "Parameters",
            Self::Ticks => "Choices",
            Self::Search => "Search",
            Self::Home => "Opening page",
            Self::Figures => "Figures",
            Self::Results => "Results",
            Self::Remarks => "Remarks",
            Self::Problem => "A problem’s tab",
            Self::Panes => "Panes",
            Self::Runs => "Runs",
            Self::Details => "Details of a run",
            Self::Run => "A run of the list",
            Self::Log => "Log",
            Self::Sweep => "Before a sweep",
            Self::Sweeps => "Sweeps on a cluster",
            Self::List => "Lists",
            Self::Typing => "Text fields",
            Self::Function => "Function editor",
            Self::Gallery => "Ready functions",
            Self::Help => "Help",
            Self::Leave => "Leaving while work runs",
            Self::Tabs => "Every tab",
            Self::Always => "Everywhere",
        }
    }

    /// The places that are in force together, the innermost first. Within each of these lists a key may have only one
    /// action.
    pub const STACKS: &'static [&'static [Self]] = &[
        &[Self::Form, Self::Problem, Self::Panes, Self::Tabs, Self::Always],
        &[Self::Home, Self::Problem, Self::Panes, Self::Tabs, Self::Always],
        &[Self::Figures, Self::Problem, Self::Panes, Self::Tabs, Self::Always],
        &[Self::Results, Self::Problem, Self::Panes, Self::Tabs, Self::Always],
        &[Self::Remarks, Self::Problem, Self::Panes, Self::Tabs, Self::Always],
        &[Self::Runs, Self::Run, Self::Panes, Self::Tabs, Self::Always],
        &[Self::Details, Self::Run, Self::Panes, Self::Tabs, Self::Always],
        &[Self::Log, Self::Tabs, Self::Always],
        &[Self::Sweep, Self::Always],
        &[Self::Sweeps, Self::Always],
        &[Self::List, Self::Always],
        &[Self::Ticks, Self::Always],
        &[Self::Search, Self::Always],
        &[Self::Typing, Self::Always],
        &[Self::Function, Self::Always],
        &[Self::Gallery, Self::Always],
        &[Self::Help, Self::Always],
        &[Self::Leave, Self::Always],
    ];

    /// Whether text is typed there, so that every character stands for itself.
    #[must_use]
    pub const fn takes_text(self) -> bool {
        matches!(self, Self::Typing | Self::Search | Self::Function)
    }

    /// The stack that begins with this place.
    #[must_use]
    pub fn stack(self) -> &'static [Self] {
        Self::STACKS.iter().copied().find(|stack| stack[0] == self).unwrap_or(&[Self::Always])
    }
}

/// One line of the key table.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// The place in which it is in force.
    pub place: Place,
    /// What it does.
    pub action: Action,
    /// The keys as written.
    pub keys: &'static [&'static str],
    /// A word for the footer; the footer does not show a line whose hint is empty.
    pub hint: &'static str,
    /// What the help says; empty where another line says it already.
    pub help: &'static str,
}
