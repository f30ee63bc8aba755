//! The one table of what can be done on the screen: names, keys, words for the palette, help.
//! Keys in force, the palette, the help, `docs/keys.md` and the test for clashes come from it.

/// Where an action means something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// In every view.
    Everywhere,
    Findings,
    Stream,
    /// The pane beside the stream, and wherever one event is shown.
    Detail,
    Topics,
    Lag,
    Order,
    Trace,
    State,
    Schemas,
    Replay,
}

impl Scope {
    pub const ALL: &'static [Self] = &[
        Self::Everywhere,
        Self::Findings,
        Self::Stream,
        Self::Detail,
        Self::Topics,
        Self::Lag,
        Self::Order,
        Self::Trace,
        Self::State,
        Self::Schemas,
        Self::Replay,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Everywhere => "Everywhere",
            Self::Findings => "Findings",
            Self::Stream => "Stream",
            Self::Detail => "Detail",
            Self::Topics => "Topics",
            Self::Lag => "Lag",
            Self::Order => "Order",
            Self::Trace => "Trace",
            Self::State => "State",
            Self::Schemas => "Schemas",
            Self::Replay => "Replay",
        }
    }

    /// Whether a key of both scopes could mean two things at once. In the stream its detail may
    /// have the focus, and what it does not know goes to the stream.
    pub fn overlaps(self, other: Self) -> bool {
        let pair = |a, b| (self == a && other == b) || (self == b && other == a);
        self == other
            || self == Self::Everywhere
            || other == Self::Everywhere
            || pair(Self::Stream, Self::Detail)
    }
}

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Spec {
    pub action: Action,
    /// What a key map names it by.
    pub id: &'static str,
    /// Keys by default; a sequence is separated by blanks: `y c`.
    pub keys: &'static [&'static str],
    pub scope: Scope,
    pub help: &'static str,
    /// Other words by which the palette finds it.
    pub words: &'static str,
}

macro_rules! actions {
    ($($action:ident $id:literal [$($key:literal),*] $scope:ident $help:literal, $words:literal;)*) => {
        /// Everything that can be done.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Action { $($action),* }

        /// All of it, in the order of the help.
        pub const ACTIONS: &[Spec] = &[$(Spec {
            action: Action::$action,
            id: $id,
            keys: &[$($key),*],
            scope: Scope::$scope,
            help: $help,
            words: $words,
        }),*];
    };
}

actions! {
    Down "move.down" ["j", "down"] Everywhere "Next row", "next";
    Up "move.up" ["k", "up"] Everywhere "Previous row", "previous back";
    PageDown "move.page-down" ["pagedown", "ctrl-d"] Everywhere "A page down", "scroll";
    PageUp "move.page-up" ["pageup", "ctrl-u"] Everywhere "A page up", "scroll";
    Top "move.top" ["g", "home"] Everywhere "First row", "begin oldest";
    Bottom "move.bottom" ["G", "end"] Everywhere "Last row; in the stream, follow what comes", "end newest tail follow";
    Left "move.left" ["h", "left"] Everywhere "Left; close a branch", "scroll collapse";
    Right "move.right" ["l", "right"] Everywhere "Right; open a branch", "scroll expand";
    Open "open" ["enter"] Everywhere "Open what is selected", "go evidence detail";
    Back "back" ["esc"] Everywhere "Back; close what is open", "cancel close leave";
    Quit "quit" ["q", "ctrl-c"] Everywhere "Quit (q closes what is open first)", "exit leave";
    Help "help" ["?", "f1"] Everywhere "Keys of this view", "keys manual";
    Palette "palette" [":", "ctrl-p"] Everywhere "Find an action by its words", "command";
    NextPane "pane.next" ["tab"] Everywhere "To the next pane or tab", "focus";
    PreviousPane "pane.previous" ["backtab"] Everywhere "To the previous pane or tab", "focus";
    GoFindings "view.findings" ["1"] Everywhere "Findings", "home view problems";
    GoStream "view.stream" ["2"] Everywhere "Stream", "view events live tail";
    GoTopics "view.topics" ["3"] Everywhere "Topics", "view queues partitions";
    GoLag "view.lag" ["4"] Everywhere "Lag", "view consumer groups";
    GoOrder "view.order" ["5"] Everywhere "Order", "view inversions duplicates gaps";
    GoTrace "view.trace" ["6"] Everywhere "Trace", "view saga hops correlation";
    GoState "view.state" ["7"] Everywhere "State", "view fold key blame";
    GoSchemas "view.schemas" ["8"] Everywhere "Schemas", "view fields types drift";
    GoReplay "view.replay" ["9"] Everywhere "Replay", "view redrive resend";
    Sources "sources" ["ctrl-o"] Everywhere "Choose a context to connect to", "connect broker contexts open";
    Themes "themes" ["ctrl-t"] Everywhere "Choose a theme", "colours dark light";
    Zone "zone" ["z"] Everywhere "Times: UTC, local, age", "time zone clock";
    Filter "filter" ["/"] Everywhere "Filter: words, /regex/, or jq", "search find where grep";
    ClearFilter "filter.clear" ["ctrl-l"] Everywhere "Drop the filter", "reset";
    GoTo "goto" ["t"] Everywhere "Go to a time, an age or topic/partition@offset", "jump time seek from";
    CopyCommand "copy.command" ["y c"] Everywhere "Copy the command line of this screen", "cli yank";
    Replay "replay" ["r"] Everywhere "Plan a replay of the selection", "redrive resend copy";
    Reload "reload" ["f5", "ctrl-r"] Everywhere "Ask the broker again", "refresh update";
    Mouse "mouse" ["f2"] Everywhere "Mouse on or off", "wheel click";
    Suspend "suspend" ["ctrl-z"] Everywhere "To the shell; fg comes back", "background";

    Freeze "stream.freeze" ["space"] Stream "Freeze the view; the intake goes on", "pause stop resume";
    Follow "stream.follow" ["f"] Stream "Follow the newest event", "tail live";
    NextMatch "search.next" ["n"] Everywhere "Next match or anomaly", "find";
    PreviousMatch "search.previous" ["N"] Everywhere "Previous match or anomaly", "find";
    Mark "mark" ["m"] Stream "Mark the event, with a note", "bookmark note favourite";
    OnlyMarked "mark.only" ["M"] Stream "Show only marked events", "bookmark";
    NextMark "mark.next" ["'"] Stream "To the next mark", "bookmark jump";
    Select "select.range" ["v"] Stream "Select a range of rows", "mark several";
    Diff "diff" ["="] Stream "Diff: press on A, then on B", "compare";
    Layout "layout" ["|"] Stream "Detail beside, below, or off", "split pane";
    Maximise "maximise" ["\\"] Stream "The focused pane alone", "zoom full";
    EarlierBucket "time.earlier" ["["] Stream "One bucket of the histogram back", "time";
    LaterBucket "time.later" ["]"] Stream "One bucket of the histogram on", "time";
    Export "export" ["w"] Stream "Write the selection to .jsonl or .mcap", "save file capture";
    SaveFilter "filter.save" ["ctrl-s"] Stream "Keep this filter under a name", "saved";
    SavedFilters "filter.saved" ["F"] Stream "Choose a saved filter", "filters";
    Columns "columns" ["c"] Stream "Choose the columns", "pin fields";
    CopyValue "copy.value" ["y v"] Stream "Copy the value", "yank clipboard";
    CopyKey "copy.key" ["y k"] Stream "Copy the key", "yank clipboard";
    CopyHeaders "copy.headers" ["y h"] Stream "Copy the headers", "yank clipboard";
    CopyEvent "copy.event" ["y r"] Stream "Copy the whole event as JSON", "yank record clipboard";
    CopyPlace "copy.place" ["y p"] Stream "Copy topic/partition@offset", "yank position offset clipboard";
    Editor "editor" ["e"] Stream "Open the value in $EDITOR", "edit vim";
    TraceThis "trace.this" ["x"] Stream "Trace this event's correlation id or key", "saga follow hops";
    StateThis "state.this" ["s"] Stream "State of this event's key", "fold";
    Pin "column.pin" ["p"] Detail "Make a column of this field", "columns path";
    Include "filter.include" ["+"] Detail "Filter: only events with this value", "where equal";
    Exclude "filter.exclude" ["-"] Detail "Filter: no events with this value", "where not";
    ExpandAll "tree.expand" ["E"] Detail "Open all branches", "tree unfold";
    CollapseAll "tree.collapse" ["C"] Detail "Close all branches", "tree fold";
    NextEvent "event.next" ["J"] Detail "The next event, in the same tab", "down row";
    PreviousEvent "event.previous" ["K"] Detail "The event before, in the same tab", "up row";
    FindInDetail "detail.find" ["ctrl-f"] Detail "Search in this event", "find";

    TopicSelect "topics.select" ["space"] Topics "Take the topic into the stream, or out of it", "several multi";
    TopicSort "topics.sort" ["o"] Topics "Order by name, events or rate", "sort";

    LagEvent "lag.event" ["e"] Lag "The event that the group is stuck on", "stuck evidence poison";

    OrderBy "order.by" ["b"] Order "Lanes by partition or by key", "group lanes";

    Earlier "state.earlier" ["["] State "One event back", "time scrub";
    Later "state.later" ["]"] State "One event on", "time scrub";

    Versions "schemas.versions" ["v"] Schemas "The registered versions of this topic's schema, side by side", "registry compare diff";
    EarlierVersion "schemas.earlier" ["["] Schemas "The version before, on the chosen side", "older";
    LaterVersion "schemas.later" ["]"] Schemas "The version after, on the chosen side", "newer";

    DiffSwap "diff.swap" ["S"] Stream "Diff: the other way round", "swap compare";
    DiffAll "diff.all" ["A"] Stream "Diff: only what differs, or all", "compare";

    Run "replay.run" ["ctrl-g"] Replay "Run the plan (asks first)", "start go apply";
    PauseRun "replay.pause" ["space"] Replay "Pause or go on", "resume";
    Faster "replay.faster" ["+"] Replay "Twice the pace", "rate speed";
    Slower "replay.slower" ["-"] Replay "Half the pace", "rate speed";
    Runs "replay.runs" ["L"] Replay "Past runs, or back to the plan", "list history audit log";
    Again "replay.again" ["A"] Replay "Apply an unfinished run again (asks first)", "resume continue";
    SavePlan "replay.save" ["w"] Replay "Write the plan to a file, for evtap apply", "plan-out export";
    Abort "replay.abort" ["X"] Replay "Stop the run; what was sent stays", "cancel stop";
}

impl Action {
    pub fn spec(self) -> &'static Spec {
        // The macro writes both in one go, so the number of an action is its row.
        &ACTIONS[self as usize]
    }

    pub fn by_id(id: &str) -> Option<Self> {
        ACTIONS.iter().find(|s| s.id == id).map(|s| s.action)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_action_is_its_row_and_has_its_own_name() {
        let mut seen = HashSet::new();
        for spec in ACTIONS {
            assert_eq!(spec.action.spec().id, spec.id);
            assert!(seen.insert(spec.id), "{} twice", spec.id);
            assert!(
                !spec.help.is_empty() && !spec.help.ends_with('.'),
                "{}",
                spec.id
            );
        }
    }
}
