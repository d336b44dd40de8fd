//! What all pages have around their content.

use super::palette;
use crate::words::shown_lines;
use maud::{DOCTYPE, Markup, PreEscaped, html};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The SHA-256 of the script in Base64: a browser runs no other script in the page, whatever a log, cache
/// or export has put there. The test `report::page::script_hash` says what it must be.
const SCRIPT_HASH: &str = "sha256-T2Nkn5Rpr/8VHB0GeiNs7Q3Ign9xplpAHrn+PijARyc=";

/// A whole page. It has one script, and may load nothing and send nothing. `generator` is the kind of page, by
/// which a command knows the files that it may replace.
pub(super) fn document(
    generator: &str,
    title: &str,
    content: &Markup,
    position: &Markup,
    data: &Markup,
) -> String {
    let policy = format!(
        "default-src 'none'; style-src 'unsafe-inline'; script-src '{SCRIPT_HASH}'; base-uri 'none'; \
         form-action 'none'"
    );
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="generator" content={ (generator) " " (env!("CARGO_PKG_VERSION")) };
                meta http-equiv="Content-Security-Policy" content=(policy);
                title { (title) }
                style { (PreEscaped(palette::css())) (PreEscaped(STYLE)) }
            }
            body {
                main { (content) }
                (position)
                (data)
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    // Whatever a cache or an export holds, and whoever wrote that.
    shown_lines(&page.into_string())
}
