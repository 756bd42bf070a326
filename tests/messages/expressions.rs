//! An answer that `--jq` does not filter.

use keyfob::sandbox::Fault;

use super::{Failure, after, api_answers};

pub fn failures() -> Vec<Failure> {
    vec![
        after("the expression has a slip", "call shop /orders --jq .[]|lenght", |_| {}),
        after("the expression wants the environment", "call shop /orders --jq $ENV", |_| {}),
        after("the expression fails", "call shop /orders --jq .state.x", |_| {}),
        api_answers("the answer is no JSON", "call shop /orders --jq .", vec![Fault::Html]),
    ]
}

pub const EXPECTED: &str = r##"
## the expression has a slip
2
error: --jq was not understood: there is no filter `lenght`
cause: .[]|lenght
cause:     ^ here
hint:  did you mean `length`?

## the expression wants the environment
2
error: --jq was not understood: there is no variable `$ENV`
cause: $ENV
cause: ^ here
hint:  an expression sees the answer alone: no environment, no files, no further input

## the expression fails
1
error: the --jq expression failed on the answer
cause: cannot index "ok" with "x"
hint:  the call was carried out; only its answer does not fit the expression: see it without --jq

## the answer is no JSON
1
error: the answer is not JSON: --jq cannot filter it
hint:  call it without --jq to see what came
"##;
