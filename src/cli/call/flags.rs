//! The flags of `call` that are about its answer.

use clap::Args;

/// What stands at the end of `call --help`.
pub const EXAMPLES: &str = "\
Items:
  name==value   query     name=value   JSON text       name:=json   JSON value
  Header:value  header    name=@file   text of a file  name:=@file  file's JSON

Examples:
  keyfob call shop GET /orders app==me
  keyfob call shop POST /orders total:=12.5 currency_code=JMD
  keyfob call shop GET '/merchants/{merchant_id}' -i
  keyfob call shop /orders -o orders.json
  keyfob call shop /orders --result --jq '.[] | [.id, .total] | @tsv'
  keyfob call till /products/ --paginate --jq '.results[].name'
  keyfob call shop @payout total:=50 currency_code=JMD  (see `keyfob recipes`)
  keyfob call shop --batch requests.jsonl > answers.jsonl

Pages and filters:
  With --paginate each page is written as it came, once it is whole; the
  results of --jq run on. A list that breaks off says how many pages came and
  how to go on; nothing else is on stdout. --result is taken off first, then
  --jq filters; an answer that the API refuses (exit 8 or 9) comes as it is.
  With --json and --jq every result is JSON, one a line; with --json and
  --paginate every page is {\"status\":…,\"headers\":{…},\"body\":…} on one line. An
  expression that fails on an answer exits 1, and nothing of it is written.

Many calls:
  A line of --batch, and its answer (\"error\":{…} where it failed):
    {\"id\":1,\"method\":\"POST\",\"path\":\"/a\",\"query\":{},\"headers\":{},\"body\":{\"b\":1}}
    {\"id\":1,\"status\":200,\"headers\":{},\"body\":…}
  Answers come in the order of the requests. The exit code is 0 where every
  status was below 400, else that of the first failure in order; 130 after
  Ctrl-C, which lets what was sent be answered.";

/// What becomes of the answer.
#[derive(Debug, Clone, Default, Args)]
pub struct AnswerFlags {
    /// Follow every page of a list, as the provider file or a Link header says: one document a page
    #[arg(long, conflicts_with_all = ["curl", "idempotency_key"])]
    pub paginate: bool,
    /// Filter the answer with a jq expression; strings come without quotes, as with `jq -r` (with --json they keep them)
    #[arg(long, value_name = "EXPR")]
    pub jq: Option<String>,
    /// Take off what the vendor wraps its answers in, and print only the payload
    #[arg(long)]
    pub result: bool,
}

impl AnswerFlags {
    /// Whether an answer goes out as it comes in.
    pub fn are_absent(&self) -> bool {
        !self.paginate && self.jq.is_none() && !self.result
    }
}
