//! The numbers of a report as JSON.

use super::classes::class_in_words;
use super::counts::cards::{CardCounts, NobleCounts};
use super::counts::features::ColumnReport;
use super::counts::heads::{ClassTally, HeadTally};
use super::facts::FaultyGame;
use super::findings::findings;
use super::run::{ExportReport, Report};
use super::splits::balance;
use crate::cache::{IngestLine, Refusal};
use crate::encode::Head;
use crate::export::SplitOverview;
use crate::gamelog::{ActionType, Ending, ReplayFault};
use crate::rules::{CARDS, Card, NOBLES, Noble, PlayerCount};
use serde_json::{Map, Value, json};

/// All numbers of a report. Counts are integers; a distribution is an object from value to count;
/// actions are in the order of `actions`, games and rows of a night in the order of `players`.
pub fn as_json(report: &Report) -> Value {
    let cache = &report.cache;
    let refused = |refusal: &Refusal| {
        json!({
            "game_id": refusal.game_id,
            "why": refusal.message,
            "deferred": refusal.deferred,
            "older_version_kept": cache.from_an_older_log.contains(&refusal.game_id),
        })
    };
    let players = PlayerCount::ALL.map(PlayerCount::get);
    let by_players: Map<String, Value> = players
        .iter()
        .zip(&report.tally.games)
        .map(|(n, games)| (n.to_string(), json!(games)))
        .collect();
    json!({
        "findings": findings(report),
        "cache": {
            "games": cache.games,
            "rows": report.tally.rows(),
            "log_bytes": cache.log_bytes,
            "packed_bytes": cache.packed_bytes,
            "games_of_another_encoder": cache.other_encoder,
            "gem_fault_rows": cache.gem_fault_rows,
            "repaired_rows": cache.repaired_rows,
            "unbalanced_rows": cache.unbalanced_rows,
            "endings": Ending::ALL
                .iter()
                .zip(cache.endings)
                .map(|(ending, games)| (ending.name().to_owned(), games.into()))
                .collect::<Map<_, _>>(),
            "not_replayed": cache.not_replayed,
            "does_not_replay": cache.does_not_replay.iter().map(faulty).collect::<Vec<_>>(),
            "last_ingest_finished": cache.last_ingest_finished,
            "refused": cache.refusals.iter().map(refused).collect::<Vec<_>>(),
        },
        "players": players,
        "actions": ActionType::ALL.map(ActionType::logged_name),
        "nights": report
            .timeline
            .nights
            .iter()
            .map(|night| (night.name.clone(), json!({ "games": night.games, "rows": night.rows })))
            .collect::<Map<_, _>>(),
        "timeline": {
            "by_night": report.timeline.by_night,
            "periods": report.timeline.periods,
            "exported_until": report.timeline.exported_until,
        },
        "ingests": report.ingests.iter().map(ingest).collect::<Vec<_>>(),
        "games_by_players": by_players,
        "cards": cards(report),
        "heads": heads(report),
        "features": features(report),
        "export": report.export.as_ref().map(export),
    })
}

fn faulty(game: &FaultyGame) -> Value {
    json!({
        "game_id": game.game_id,
        "source_path": game.source_path,
        "fault_rows": game.fault_rows,
        "first_faults": game.faults.iter().map(fault_as_json).collect::<Vec<_>>(),
    })
}

/// A row that does not follow from the previous row.
pub fn fault_as_json(fault: &ReplayFault) -> Value {
    json!({
        "row_in_game": fault.row,
        "line": fault.line,
        "kind": fault.kind.name(),
        "column": fault.column,
        "found": fault.found,
        "expected": fault.expected,
    })
}

fn ingest(line: &IngestLine) -> Value {
    let done = line.done.as_ref();
    json!({
        "started_at": line.started_at,
        "logs_found": line.logs_found,
        "finished": done.is_some(),
        "seconds": done.map(|done| done.seconds),
        "games_by_status": done.map(|done| &done.games),
        "encoded_rows": done.map(|done| done.encoded_rows),
        "games": done.map(|done| done.cached_games),
        "rows": done.map(|done| done.cached_rows),
    })
}

fn cards(report: &Report) -> Value {
    let tally = &report.tally.cards;
    let card = |(card, counts): (&Card, &CardCounts)| {
        json!({
            "level": card.level.number(),
            "points": card.vp,
            "bonus": card.bonus.name(),
            "cost": card.cost.0,
            "games_seen": counts.games_seen,
            "built_from_table": counts.built_from_table,
            "built_from_reserve": counts.built_from_reserve,
            "reserved_from_table": counts.reserved_from_table,
            "reserved_from_deck": counts.reserved_from_deck,
            "wins": counts.wins,
        })
    };
    let noble = |(noble, counts): (&Noble, &NobleCounts)| {
        json!({
            "requirement": noble.requirement.0,
            "games_seen": counts.games_seen,
            "visits": counts.visits,
            "wins": counts.wins,
        })
    };
    json!({
        "nobles": NOBLES.iter().zip(&tally.nobles).map(noble).collect::<Vec<_>>(),
        "cards": CARDS.iter().zip(&tally.cards).map(card).collect::<Vec<_>>(),
        "unknown_builds": tally.unknown_builds,
        "unknown_reservations": tally.unknown_reservations,
    })
}

fn heads(report: &Report) -> Map<String, Value> {
    let head = |(head, tally): (Head, &HeadTally)| {
        let class = |(place, class): (usize, &ClassTally)| {
            json!({
                "class": place,
                "meaning": class_in_words(head, place),
                "legal": class.legal,
                "chosen": class.chosen,
                "chosen_by_chance": class.by_chance(),
                "legal_classes_when_chosen": class.choices,
                "illegal": class.illegal,
                "first_at": class.first,
                "balanced_weight": tally.balanced_weight(place),
            })
        };
        let value = json!({
            "rows": tally.rows,
            "no_label": tally.no_label,
            "legal_counts": tally.legal_counts,
            "illegal": tally.illegal,
            "first_illegal": tally.first_illegal,
            "classes": tally.classes.iter().enumerate().map(class).collect::<Vec<_>>(),
        });
        (head.name().to_owned(), value)
    };
    Head::ALL.into_iter().zip(&report.tally.heads).map(head).collect()
}

fn features(report: &Report) -> Map<String, Value> {
    let feature = |column: &ColumnReport| {
        let value = json!({
            "family": column.feature.family.name,
            "normalized": column.feature.normalized,
            "mark": column.mark,
            "mean": column.mean,
            "deviation": column.deviation,
            "farthest": column.farthest,
            "farthest_at": column.farthest_at(),
            "values": column.values,
        });
        (column.feature.name.as_str().to_owned(), value)
    };
    report.columns.iter().map(feature).collect()
}

fn export(export: &ExportReport) -> Value {
    let overview = &export.overview;
    let split = |split: &SplitOverview| {
        let value = json!({
            "games": split.game_ids.len(),
            "rows": split.rows,
            "games_by_players": split.games_by_players,
            "illegal_labels": split.illegal_labels,
        });
        (split.split.name().to_owned(), value)
    };
    let balance: Vec<Value> = balance(overview)
        .iter()
        .map(|balance| {
            let mut value = json!(balance);
            value["head"] = balance.head.name().into();
            value
        })
        .collect();
    json!({
        "export_id": overview.export_id,
        "encoder_version": overview.encoder_version,
        "columns": overview.columns,
        "settings": overview.settings,
        "splits": overview.splits.iter().map(split).collect::<Map<_, _>>(),
        "balance": balance,
        "games_only_in_cache": export.games_only_in_cache,
        "games_only_in_export": export.games_only_in_export,
        "games_with_other_logs": export.games_with_other_logs,
        "drift_from_scaler": overview.drift,
        "since": export.since.as_ref().map(|(_, diff)| json!({
            "old": diff.old,
            "games_moved": diff.moved,
            "means": diff.means.as_ref().ok().map(|means| &means.moved),
            "newly_varying": diff.means.as_ref().ok().map(|means| &means.newly_varying),
            "newly_constant": diff.means.as_ref().ok().map(|means| &means.newly_constant),
            "why_no_means": diff.means.as_ref().err().map(ToString::to_string),
            "remarks": diff.remarks,
        })),
    })
}
