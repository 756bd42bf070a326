//! A program that was built without jq: `cargo test --no-default-features --test behaviour without_jq::`.

use crate::support::Shop;

#[test]
fn a_program_without_jq_says_so_before_anything_is_sent() {
    let shop = Shop::connected("inkress");
    let ran = shop.line("call shop /orders --jq .").exits(2).without_product();
    ran.says("this keyfob was built without jq").says("pipe the answer into jq");
    assert_eq!(shop.calls(), 0);
    shop.line("call shop /orders --result --paginate").ok();
}
