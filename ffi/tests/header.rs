//! `include/aftercart.h` is what cbindgen makes of the source. `AFTERCART_BLESS=1` rewrites it.

use std::fmt::Write;

use engine::before_payment::{Because, Device};
use engine::event::EventKind;
use engine::follow_up::{Channel, MessageKind, Withheld};
use engine::vocabulary::{
    AcceptMode, AgeBand, CustomerKind, OfferKind, PaymentType, Purpose, Role, SensitiveClass, Stage,
};
use engine::{AcceptReason, Reason, Relation};

mod common;
#[path = "../src/status.rs"]
#[allow(dead_code, unreachable_pub)]
mod status;

#[test]
fn the_header_is_what_the_source_says() {
    let header = generate(|config| config.after_includes = Some(constants()));
    common::compare("include/aftercart.h", &header);
}

/// PHP's parser knows neither comments before the first declaration that it could use, nor `extern "C"`, nor `#include`, and
/// it reads no numbers from `#define`: what it gets is the same declarations, and the two lines that it asks for.
#[test]
fn the_header_for_php_has_the_same_declarations() {
    let header = generate(|config| {
        config.header = None;
        config.include_guard = None;
        config.cpp_compat = false;
        config.documentation = false;
        config.sys_includes.clear();
    });
    let (constants, declarations): (Vec<&str>, Vec<&str>) =
        header.lines().filter(|line| !line.is_empty()).partition(|line| line.starts_with('#'));
    assert!(constants.iter().all(|line| line.starts_with("#define AFTERCART_")), "{constants:?}");
    let soname = constants.iter().find_map(|line| line.strip_prefix("#define AFTERCART_ABI_VERSION "));
    let soname = format!("libaftercart.so.{}", soname.expect("the header has the ABI number"));
    let for_php = format!(
        "#define FFI_SCOPE \"AFTERCART\"\n#define FFI_LIB \"{soname}\"\n{}\n",
        declarations.join("\n")
    );
    common::compare("bindings/php/src/aftercart.ffi.h", &for_php);
}

fn generate(change: impl FnOnce(&mut cbindgen::Config)) -> String {
    let sources = [
        "types.rs",
        "engine.rs",
        "decider.rs",
        "explain.rs",
        "question.rs",
        "token.rs",
        "before_payment.rs",
        "follow_up.rs",
        "live.rs",
        "edit.rs",
        "log.rs",
        "event.rs",
        "resident.rs",
        "selftest.rs",
    ];
    let folder = common::root().join("ffi");
    let mut config =
        cbindgen::Config::from_file(folder.join("cbindgen.toml")).expect("cbindgen.toml is right");
    change(&mut config);
    let builder = sources.iter().fold(cbindgen::Builder::new().with_config(config), |builder, source| {
        builder.with_src(folder.join("src").join(source))
    });
    let mut header = Vec::new();
    builder.generate().expect("cbindgen understands the source").write(&mut header);
    String::from_utf8(header).expect("the header is UTF-8")
}

#[test]
fn the_header_alone_is_c11_and_cpp17() {
    for language in ["c", "c++"] {
        common::run(common::compiler(language).arg("-fsyntax-only").arg("-").stdin(including_the_header()));
    }
}

fn including_the_header() -> std::process::Stdio {
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("only_the_header.c");
    std::fs::write(&file, "#include \"aftercart.h\"\n").expect("the target folder can be written");
    std::fs::File::open(file).expect("it was just written").into()
}

/// The lists that the engine owns: never typed by hand.
fn constants() -> String {
    let mut out = String::new();
    let part = |name: &str| std::env::var(format!("CARGO_PKG_VERSION_{name}")).expect("cargo sets it");
    out.push_str("\n// The release that this header came with.\n");
    for name in ["MAJOR", "MINOR", "PATCH"] {
        writeln!(out, "#define AFTERCART_VERSION_{name} {}", part(name)).unwrap();
    }
    out.push_str("\n// How a call ended. `aftercart_status_name` has the names.\n");
    for status in status::Status::ALL {
        let name = status.name().to_str().unwrap();
        writeln!(out, "// {}\n#define AFTERCART_{name} {}", status.text(), number(status.code())).unwrap();
    }
    list(&mut out, "Where in the purchase: aftercart_transaction.stage.", "STAGE", Stage::ALL, |v| {
        (v.code().into(), v.name())
    });
    list(&mut out, "Kind of purchase: aftercart_line.role.", "ROLE", Role::ALL, |v| {
        (v.code().into(), v.name())
    });
    list(&mut out, "Sensitive classes: aftercart_line.sensitive.", "SENSITIVE", SensitiveClass::ALL, |v| {
        (v.code().into(), v.name())
    });
    list(&mut out, "How it was paid: aftercart_transaction.payment.", "PAYMENT", PaymentType::ALL, |v| {
        (v.code().into(), v.name())
    });
    list(&mut out, "Customers: aftercart_profile.customer.", "CUSTOMER", CustomerKind::ALL, |v| {
        (v.code().into(), v.name())
    });
    list(&mut out, "Ages: aftercart_profile.age_band.", "AGE", AgeBand::ALL, |v| (v.code().into(), v.name()));
    list(
        &mut out,
        "Purposes of a consent: bits of aftercart_profile.purposes_asked and purposes_granted.",
        "PURPOSE",
        Purpose::ALL,
        |v| (v.code().into(), v.name()),
    );
    list(&mut out, "What is offered: aftercart_offer.kind.", "KIND", OfferKind::ALL, |v| {
        (v.code().into(), v.name())
    });
    list(&mut out, "How it may be accepted: aftercart_offer.accept.", "ACCEPT", AcceptMode::ALL, |v| {
        (v.code().into(), v.name())
    });
    list(
        &mut out,
        "Why in that way and no shorter one: aftercart_offer.accept_reason.",
        "ACCEPTANCE",
        AcceptReason::ALL,
        |v| (v.code().into(), v.name()),
    );
    list(&mut out, "Where the customer sits: aftercart_rank_payment_methods.", "DEVICE", Device::ALL, |v| {
        (v.code().into(), v.name())
    });
    list(
        &mut out,
        "Why an option stands where it does: aftercart_ranked.because, aftercart_prefilled.because.",
        "BECAUSE",
        Because::ALL,
        |v| (v.code().into(), v.name()),
    );
    let of = "aftercart_follow_up";
    list(&mut out, &format!("What a message is for: {of}.kind."), "MESSAGE", MessageKind::ALL, |v| {
        (v.code().into(), v.name())
    });
    list(&mut out, &format!("Through what it goes: {of}.channel."), "CHANNEL", Channel::ALL, |v| {
        (v.code().into(), v.name())
    });
    list(&mut out, &format!("Why it is withheld: {of}.withheld."), "WITHHELD", Withheld::ALL, |v| {
        (v.code().into(), v.name())
    });
    list(&mut out, "What happened: aftercart_event.kind.", "EVENT", EventKind::ALL, |v| {
        (v.code().into(), v.name())
    });
    list(
        &mut out,
        "How it follows from the order: aftercart_offer.relation.",
        "RELATION",
        &relations(),
        |v| (v as i32, v.name()),
    );
    out.push_str(
        "\n// Why nothing was offered: `aftercart_summary.reason`. `aftercart_reason_text` has the texts.\n",
    );
    for reason in Reason::ALL {
        writeln!(
            out,
            "#define AFTERCART_REASON_{} {} // {}",
            upper(&format!("{reason:?}")),
            reason.code(),
            reason.text()
        )
        .unwrap();
    }
    out
}

fn list<T: Copy>(
    out: &mut String,
    about: &str,
    prefix: &str,
    all: &[T],
    of: impl Fn(T) -> (i32, &'static str),
) {
    writeln!(out, "\n// {about}").unwrap();
    for value in all {
        let (code, name) = of(*value);
        writeln!(out, "#define AFTERCART_{prefix}_{} {code}", name.to_uppercase()).unwrap();
    }
}

/// All relations, in order. A new one does not compile until it is here.
fn relations() -> Vec<Relation> {
    std::iter::successors(Some(Relation::BoughtTogether), |relation| match relation {
        Relation::BoughtTogether => Some(Relation::GoesWithType),
        Relation::GoesWithType => Some(Relation::Refill),
        Relation::Refill => Some(Relation::Triggered),
        Relation::Triggered => Some(Relation::House),
        Relation::House => Some(Relation::Alike),
        Relation::Alike => None,
    })
    .collect()
}

/// `SameItem` to `SAME_ITEM`.
fn upper(camel: &str) -> String {
    let mut name = String::new();
    for letter in camel.chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}

fn number(code: i32) -> String {
    if code < 0 { format!("({code})") } else { code.to_string() }
}
