use super::*;

fn results(expression: &str, body: &str) -> Result<String, JqError> {
    let jq = Jq::compile(expression).unwrap_or_else(|error| panic!("{expression}: {error:?}"));
    let results = on_a_large_stack(
        move |jq: Jq, body: String| jq.run(body.as_bytes(), Strings::Raw),
        jq,
        body,
    );
    results.map(|results| String::from_utf8(results).unwrap())
}

fn on_a_large_stack<T: Send + 'static>(
    run: impl FnOnce(Jq, String) -> T + Send + 'static,
    jq: Jq,
    body: &str,
) -> T {
    let body = body.to_owned();
    let thread = std::thread::Builder::new().stack_size(STACK);
    thread.spawn(move || run(jq, body)).unwrap().join().unwrap()
}

#[test]
fn results_are_lines_and_strings_are_raw() {
    let cases = [
        (".", r#"{"b":1,"a":[true,null]}"#, "{\"b\":1,\"a\":[true,null]}\n"),
        (".[]", r#"["x\ny",1,null,{"s":"t"}]"#, "x\ny\n1\nnull\n{\"s\":\"t\"}\n"),
        (".[] | select(.total > 10) | .id", r#"[{"id":1,"total":9},{"id":2,"total":11}]"#, "2\n"),
        ("empty", "[]", ""),
        (".", " \n", ""),
        ("map(.n) | add", r#"[{"n":1},{"n":2}]"#, "3\n"),
        (
            ".[] | [.id, .name] | @tsv",
            r#"[{"id":1,"name":"a\tb"},{"id":2,"name":null}]"#,
            "1\ta\\tb\n2\t\n",
        ),
        (". | @csv", r#"[1,"a \"b\"",true,null]"#, "1,\"a \"\"b\"\"\",true,\n"),
        ("@base64", r#""hi""#, "aGk=\n"),
        ("@uri", r#""a b/ä""#, "a%20b%2F%C3%A4\n"),
        (r#"test("^a.c$")"#, r#""abc""#, "true\n"),
        ("fromdate", r#""2026-06-01T08:00:00Z""#, "1780300800\n"),
        ("tojson | fromjson", r#"{"a":1}"#, "{\"a\":1}\n"),
        ("to_entries[] | \"\\(.key)=\\(.value)\"", r#"{"a":1,"b":"x"}"#, "a=1\nb=x\n"),
    ];
    for (expression, body, expected) in cases {
        assert_eq!(results(expression, body).as_deref(), Ok(expected), "{expression}");
    }
}

#[test]
fn numbers_keep_their_digits() {
    let body =
        r#"{"id":12345678901234567890,"t":12.50,"e":1.0E+2,"z":-0,"f":0.1000000000000000055}"#;
    assert_eq!(
        results(".id, .t, .e, .f", body).unwrap(),
        "12345678901234567890\n12.50\n1.0E+2\n0.1000000000000000055\n"
    );
    assert_eq!(results("{t, id}", body).unwrap(), "{\"t\":12.50,\"id\":12345678901234567890}\n");
    assert_eq!(results(".id + 1", body).unwrap(), "12345678901234567891\n");
    assert_eq!(results("[.t, .id] | @tsv", body).unwrap(), "12.50\t12345678901234567890\n");
}

#[test] // T17
fn an_expression_sees_neither_the_environment_nor_files_nor_more_input() {
    for expression in [
        "env",
        "env.KEYFOB_STORE_KEY",
        "$ENV",
        "$ENV.PATH",
        "input",
        "inputs",
        "input_filename",
        "debug",
        "debug(1)",
        "stderr",
        "halt",
        "halt_error",
        "halt_error(1)",
        "halt(0)",
        "get_search_list",
        "input_line_number",
        "$__prog_args",
        "$__loc__",
        r#"import "/etc/passwd" as $x; ."#,
        r#"import "a" as a; ."#,
        r#"include "a"; ."#,
    ] {
        assert!(Jq::compile(expression).is_err(), "{expression}");
    }
    for expression in ["@sh", "[splits(\"a\")]", "now", "ltrimstr(\"a\")"] {
        assert!(Jq::compile(expression).is_ok(), "{expression}");
    }
}

#[test]
fn what_is_not_understood_is_told_with_its_place() {
    let cases = [
        (".[", 1, "`[` is never closed"),
        (".a | | .b", 5, "expected term"),
        (".a | lenght", 5, "there is no filter `lenght`"),
        (".a | $x", 5, "there is no variable `$x`"),
        ("", 0, "expected term"),
        (".a; .b", 2, "nothing may follow"),
        ("if . then 1", 11, "expected else or end"),
        (".a & .b", 3, "expected token"),
        ("\"abc", 0, "`\"` is never closed"),
        (r#"include "x"; ."#, 9, "an expression reads no file"),
    ];
    for (expression, at, what) in cases {
        let error = Jq::compile(expression).err().unwrap_or_else(|| panic!("{expression}"));
        assert_eq!((error.at, error.what.as_str()), (at, what), "{expression}");
    }
}

#[test]
fn an_answer_that_cannot_be_filtered_says_why() {
    let failed = |text: &str| Err(JqError::Failed(text.into()));
    assert_eq!(results(".", "<html>"), Err(JqError::NotJson));
    assert_eq!(results(".", "{} {}"), Err(JqError::NotJson));
    assert_eq!(results(".", "NaN"), Err(JqError::NotJson));
    assert_eq!(results(".", "# a comment\n1"), Err(JqError::NotJson));
    assert_eq!(results(".a", "[1]"), failed(r#"cannot index [1] with "a""#));
    assert_eq!(results(r#"error("no\u001b[2J")"#, "1"), failed("no"));
    let deep = |n: usize| "[".repeat(n) + &"]".repeat(n);
    assert!(results("tojson | length", &deep(DEEPEST)).is_ok());
    assert_eq!(results(".", &deep(DEEPEST + 1)), Err(JqError::TooDeep));
    assert_eq!(results(".", &deep(500_000)), Err(JqError::TooDeep));
    assert_eq!(results("length", r#""[[[{{{\"[[\\""#).unwrap(), "10\n");
}

#[test]
fn results_that_never_end_are_given_up_and_a_limit_is_kept() {
    assert_eq!(results("[limit(3; repeat(7))] | length", "1").unwrap(), "3\n");
    assert_eq!(results("\"x\" * 1000000 | repeat(.)", "1"), Err(JqError::TooMuch));
}
