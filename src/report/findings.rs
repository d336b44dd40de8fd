//! Findings to check before training.

use super::classes::never_occurs;
use super::counts::features::Mark;
use super::counts::timeline::LARGE_DRIFT;
use super::run::{ExportReport, Report};
use crate::encode::Head;
use crate::gamelog::Ending;
use crate::rules::PlayerCount;
use crate::words::{counted, counted_verb, grouped};
use serde::Serialize;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    /// Whether it may harm training.
    pub(crate) is_warning: bool,
    /// One or two sentences, with advice.
    pub(crate) text: String,
    /// The id of the section with details.
    pub(crate) section: &'static str,
}

/// All findings, warnings first.
pub(crate) fn findings(report: &Report) -> Vec<Finding> {
    let mut found = Findings(Vec::new());
    of_cache(report, &mut found);
    of_seats(report, &mut found);
    of_heads(report, &mut found);
    of_features(report, &mut found);
    if let Some(export) = &report.export {
        of_export(export, &mut found);
    }
    let mut all = found.0;
    all.sort_by_key(|finding| !finding.is_warning);
    all
}

struct Findings(Vec<Finding>);

impl Findings {
    fn warn(&mut self, section: &'static str, text: String) {
        self.0.push(Finding { is_warning: true, text, section });
    }

    fn note(&mut self, section: &'static str, text: String) {
        self.0.push(Finding { is_warning: false, text, section });
    }

    fn warn_of(&mut self, section: &'static str, number: u64, sentence: Sentence) {
        if number > 0 {
            self.warn(section, sentence.text(number));
        }
    }

    fn note_of(&mut self, section: &'static str, number: u64, sentence: Sentence) {
        if number > 0 {
            self.note(section, sentence.text(number));
        }
    }
}

/// A noun, its verb in singular and plural, and the rest of a sentence.
struct Sentence(&'static str, [&'static str; 2], &'static str);

impl Sentence {
    fn text(self, number: u64) -> String {
        let Sentence(noun, verbs, rest) = self;
        format!("{} {rest}", counted_verb(number, noun, verbs))
    }
}

const WERE: [&str; 2] = ["was", "were"];
const ARE: [&str; 2] = ["is", "are"];

fn of_cache(report: &Report, found: &mut Findings) {
    let cache = &report.cache;
    if !cache.last_ingest_finished {
        let text = "The last ingest did not finish, or is still running: games may be missing. Run \
                    prep ingest, then create the report again.";
        found.warn("games", text.to_owned());
    }
    let deferred = cache.refusals.iter().filter(|refusal| refusal.deferred).count() as u64;
    let refused = cache.refusals.len() as u64 - deferred;
    let sentence = Sentence("log", WERE, "refused by the last ingest: repair them.");
    found.warn_of("refused", refused, sentence);
    let sentence = Sentence("log", WERE, "still being written and deferred to the next ingest.");
    found.note_of("refused", deferred, sentence);
    let rest = "encoded by another version of prep and excluded here: run prep ingest, which \
                encodes them again.";
    found.warn_of("games", cache.other_encoder, Sentence("game", WERE, rest));
    if let Some(first) = cache.does_not_replay.first() {
        let games = cache.does_not_replay.len();
        let text = format!(
            "{} not replay ({} {}): the logs are faulty. prep export --replayable-only excludes \
             such games.",
            counted_verb(games, "game", ["does", "do"]),
            if games == 1 { "game" } else { "the first is game" },
            first.game_id,
        );
        found.warn("replay", text);
    }
    let rest = "from an older cache and not replayed yet: run prep ingest, which reads the logs \
                again.";
    found.note_of("games", cache.not_replayed, Sentence("game", ARE, rest));
    let unfinished = cache.endings[Ending::Unfinished as usize];
    let sentence = Sentence("game", ARE, "unfinished: the log ends before the game does.");
    found.note_of("replay", unfinished, sentence);
    let faulty = cache.gem_fault_rows - cache.repaired_rows;
    if faulty > 0 {
        let text = format!(
            "{} from old logs with the known gem fault: the gem_take3 label is missing. Ingest \
             with --repair to correct them.",
            counted(faulty, "row")
        );
        found.warn("heads", text);
    }
    if cache.unbalanced_rows > 0 {
        let rows = counted(cache.unbalanced_rows, "row");
        let text = format!("In {rows} the gems on the table and in hands do not add up.");
        found.note("games", text);
    }
}

fn of_seats(report: &Report, found: &mut Findings) {
    let groups = PlayerCount::ALL.iter().zip(&report.tally.games).filter_map(|(players, games)| {
        let players = usize::from(players.get());
        let seats = games.endings.unfair_seats(players);
        let seats: Vec<String> =
            seats.map(|(seat, rate)| format!("seat {seat} wins {:.1} %", 100.0 * rate)).collect();
        let fair = 100.0 / players as f64;
        let text = format!("with {players} players, {} (fair: {fair:.1} %)", seats.join(" and "));
        (!seats.is_empty()).then_some(text)
    });
    let groups: Vec<String> = groups.collect();
    if !groups.is_empty() {
        let text = format!(
            "Some seats do not win their fair share, by more than chance explains: {}.",
            groups.join("; ")
        );
        found.note("wins", text);
    }
}

fn of_heads(report: &Report, found: &mut Findings) {
    let illegal: u64 = report.tally.heads.iter().map(|head| head.illegal).sum();
    let sentence =
        Sentence("label", ARE, "illegal under the masks: a masked loss must exclude them.");
    found.warn_of("illegal", illegal, sentence);
    let (mut unseen, mut possible) = (0, 0);
    for (head, tally) in Head::ALL.into_iter().zip(&report.tally.heads) {
        unseen += tally.never_chosen().filter(|&class| !never_occurs(head, class)).count();
        possible += (0..head.classes()).filter(|&class| !never_occurs(head, class)).count();
    }
    if unseen > 0 {
        let text = format!(
            "{unseen} of the {possible} possible classes of all heads were never chosen: a network cannot \
             learn to choose them."
        );
        found.note("unseen", text);
    }
}

fn of_features(report: &Report, found: &mut Findings) {
    let marked = |mark| report.columns.iter().filter(|column| column.mark == Some(mark)).count();
    let columns = grouped(report.columns.len() as u64);
    let (constant, outliers) = (marked(Mark::Constant), marked(Mark::Outlier));
    if constant > 0 {
        let text = format!("{constant} of {columns} columns have the same value in every row.");
        found.note("features", text);
    }
    if outliers > 0 {
        let text =
            format!("{outliers} of {columns} columns have outliers: values far from their mean.");
        found.note("features", text);
    }
}

fn of_export(export: &ExportReport, found: &mut Findings) {
    for split in &export.overview.splits {
        if split.game_ids.is_empty() {
            found.warn("splits", format!("No game of the export is in {}.", split.split.name()));
        }
    }
    let sentence =
        Sentence("game", ARE, "in the cache but not in the export: export again to include them.");
    found.note_of("splits", export.games_only_in_cache, sentence);
    let sentence = Sentence("game", ARE, "in the export but no longer in the cache.");
    found.warn_of("splits", export.games_only_in_export, sentence);
    let sentence = Sentence("game", ARE, "in the export with different logs than in the cache.");
    found.warn_of("splits", export.games_with_other_logs, sentence);
    let Some((_, diff)) = &export.since else { return };
    match &diff.means {
        Err(why) => found.warn("drift", format!("Since the older export: {why}.")),
        Ok(means) => {
            let past = means.past(LARGE_DRIFT);
            if let Some(farthest) = past.first() {
                let text = format!(
                    "Since the older export the mean of {} moved by more than {LARGE_DRIFT} \
                     standard deviations, {} the most: check the new logs before training.",
                    counted(past.len() as u64, "column"),
                    farthest.column
                );
                found.warn("drift", text);
            }
        }
    }
}
