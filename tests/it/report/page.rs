//! The page: one file that needs nothing else, whatever the cache holds.

use super::{ingested, numbers};
use crate::support::cli::CliTest;
use scraper::{Html, Selector};
use std::collections::BTreeSet;
use std::fs;

/// The page of a report, which is well-formed, needs nothing from elsewhere, and has no number
/// that is none.
fn page(test: &CliTest, options: &str) -> Html {
    let said = test.prep(&format!("report --out page.html {options}"));
    assert!(said.starts_with("wrote ") && said.ends_with(" to page.html\n"), "{said}");
    let text = String::from_utf8(test.read("page.html")).unwrap();
    let page = Html::parse_document(&text);
    assert_eq!(page.errors, [""; 0], "{options}");
    for foreign in ["http:", "https:", "//", "url(", "@import", "<script", "<link", "src="] {
        let at = text.find(foreign);
        assert!(at.is_none(), "{foreign} in ...{}", &text[at.unwrap()..][..60]);
    }
    for element in page.select(&Selector::parse("*").unwrap()) {
        let handler = element.value().attrs().find(|(name, _)| name.starts_with("on"));
        assert!(handler.is_none(), "{handler:?}");
    }
    let words = words(&page, "body");
    for word in words.split(|c: char| !c.is_alphanumeric()) {
        assert!(!["NaN", "inf", "Infinity", "null"].contains(&word), "{options}: {word}");
    }
    let ids: Vec<&str> = attributes(&page, "[id]", "id");
    assert_eq!(ids.len(), ids.iter().collect::<BTreeSet<_>>().len(), "ids are unique");
    for link in attributes(&page, "a", "href") {
        assert!(ids.contains(&link.strip_prefix('#').unwrap()), "{link} leads nowhere");
    }
    let plots = page.select(&Selector::parse("svg").unwrap()).count();
    let described = attributes(&page, "svg[viewBox][role=img]", "aria-label");
    assert!(
        plots > 20 && described.len() == plots && described.iter().all(|what| !what.is_empty())
    );
    page
}

fn words(page: &Html, selector: &str) -> String {
    let selector = Selector::parse(selector).unwrap();
    let elements = page.select(&selector);
    elements.flat_map(|element| element.text().collect::<Vec<_>>()).collect()
}

fn attributes<'p>(page: &'p Html, selector: &str, name: &str) -> Vec<&'p str> {
    let selector = Selector::parse(selector).unwrap();
    page.select(&selector).filter_map(|element| element.value().attr(name)).collect()
}

fn sections(page: &Html) -> Vec<&str> {
    attributes(page, "section", "id")
}

#[test]
fn a_page_has_every_section_and_the_numbers_of_the_cache() {
    let test = ingested(30);
    test.prep("export --out old --seed 1");
    test.prep("export --out new");
    let page = page(&test, "--export new --against old");
    assert_eq!(
        sections(&page),
        [
            "games", "points", "actions", "cards", "heads", "unseen", "illegal", "splits", "drift",
            "features"
        ]
    );
    let rows = numbers(&test, "")["cache"]["rows"].as_u64().unwrap();
    assert!((1_000..10_000).contains(&rows));
    let grouped = format!("{},{:03}", rows / 1000, rows % 1000);
    assert!(words(&page, ".tiles").contains(&format!("{grouped}rows")));
    assert!(words(&page, "#games").contains(&grouped));
    // Every column stands in a table.
    let features = words(&page, "#features");
    for name in ["gems_board_white", "player3_card14_distance_total", "player3_position_3"] {
        assert!(features.contains(name), "{name}");
    }
}

#[test]
fn a_page_follows_the_reader_to_dark_and_to_a_phone() {
    let test = ingested(3);
    let page = page(&test, "");
    let style = words(&page, "style");
    assert!(style.contains("prefers-color-scheme: dark"));
    // Whatever colour is drawn has a rule that gives it its variable.
    let drawn: BTreeSet<&str> = ["fill", "stroke"]
        .into_iter()
        .flat_map(|what| attributes(&page, &format!("svg [{what}]"), what))
        .filter(|color| *color != "none")
        .collect();
    assert!(drawn.len() > 5);
    for color in drawn {
        assert!(style.contains(&format!("svg [fill=\"{color}\"]{{fill:var(--")), "{color}");
    }
    assert_eq!(attributes(&page, "meta[name=viewport]", "content").len(), 1);
    assert!(attributes(&page, "svg", "width").is_empty(), "a plot is as wide as there is room");
    // A column's name is one word of up to 47 letters: whatever is not in a table has to break it.
    for (selector, rule) in [
        ("\n.findings {", "minmax(0, 1fr)"),
        ("\n.findings li {", "overflow-wrap: anywhere"),
        ("\n.named {", "overflow-wrap: anywhere"),
        ("\n.from {", "overflow-wrap: anywhere"),
    ] {
        let (_, block) = style.split_once(selector).unwrap();
        assert!(block.split('}').next().unwrap().contains(rule), "{selector} {rule}");
    }
}

/// Names that are cut may be those of several columns.
#[test]
fn a_plot_names_each_column_that_moved_in_full() {
    let test = ingested(12);
    test.prep("export --out old");
    test.prep("simulate raw --games 12 --first-id 13 --seed 3");
    test.prep("ingest raw");
    test.prep("export --out new");
    let page = page(&test, "--export new --against old");
    let diff = numbers(&test, "--export new --against old")["export"]["since"].take();
    let drawn = Selector::parse("svg[aria-label='Columns whose mean moved most'] text").unwrap();
    let drawn: Vec<String> =
        page.select(&drawn).map(|text| text.text().collect::<String>().trim().to_owned()).collect();
    for mean in &diff["means"].as_array().unwrap()[..15] {
        let name = mean["column"].as_str().unwrap();
        assert!(drawn.iter().any(|text| text == name), "{name} in {drawn:?}");
    }
}

#[test]
fn a_page_of_one_game_stands() {
    let test = ingested(1);
    let page = page(&test, "");
    assert!(words(&page, ".tiles").starts_with("1game"));
    assert!(!sections(&page).contains(&"splits"));
}

#[test]
fn a_page_names_refused_logs_whatever_is_in_them() {
    let test = ingested(5);
    test.write("raw/<b onload=x>&amp;/77.csv", "no,log\n1,2\n");
    assert_eq!(test.run("ingest raw").code, 3);
    let page = page(&test, "");
    let refused = words(&page, "#refused");
    assert!(refused.contains("game 77, refused: <b onload=x>&amp;/77.csv"), "{refused}");
    assert!(words(&page, ".findings .warning").contains("1 log was refused"));
}

#[test]
fn a_page_of_an_export_with_an_empty_split_stands() {
    let test = ingested(6);
    for options in [
        "--split 1,0,0",
        "--split 0.5,0.5,0 --features base",
        "--split 0.01,0.5,0.49 --no-normalize",
    ] {
        test.prep(&format!("export --out export {options}"));
        let page = page(&test, "--export export");
        assert!(words(&page, "#splits").contains("0 games"), "{options}");
        assert!(words(&page, ".findings .warning").contains("No game of the export is in"));
        assert!(words(&page, "#drift").contains("--against"));
    }
    test.prep("export --out other");
    // Without training rows there are no means, and of other columns no comparison.
    page(&test, "--export export --against other");
    test.prep("export --out export --features base");
    page(&test, "--export export --against other");
}

#[test]
fn what_cannot_be_reported_on_is_said_in_a_sentence_and_writes_nothing() {
    let test = CliTest::new();
    let failed = |arguments: &str, code: i32, why: &str| {
        let ran = test.run(arguments);
        assert!(ran.code == code && ran.stderr.contains(why), "{arguments}: {ran:#?}");
        assert!(!test.path("report.html").exists(), "{arguments}");
    };
    failed("report", 1, "there is no cache at");
    test.prep("simulate raw --games 3");
    test.prep("ingest raw");
    failed("report --export raw", 1, "cannot read the export raw: it has no manifest.json");
    failed("report --against raw", 2, "--export");
    test.prep("export --out export");
    failed("report --export export --against raw", 1, "cannot read the export raw");
    fs::write(test.path("export/preprocessing_stats.json"), "{}").unwrap();
    failed("report --export export", 1, "preprocessing_stats.json is not the file");
    let ran = test.run("report --out raw");
    assert!(ran.code == 1 && ran.stderr.contains("raw is a folder: give a file"), "{ran:#?}");
    test.prep("ingest raw --max-games 1");
    fs::remove_dir_all(test.path("raw")).unwrap();
    fs::create_dir(test.path("raw")).unwrap();
    test.run("ingest raw --allow-delete");
    failed("report", 1, "the cache holds no games");
}

#[test]
fn the_numbers_alone_write_no_file() {
    let test = ingested(2);
    numbers(&test, "");
    assert!(!test.path("report.html").exists());
    test.prep("report");
    assert!(test.path("report.html").exists());
    test.prep("report -q --out deep/er/page.html");
    assert_eq!(test.read("deep/er/page.html"), test.read("report.html"));
}
