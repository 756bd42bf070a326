//! Clocks that are wrong, machines that sleep, lifetimes that make no sense.

use std::sync::Arc;
use std::time::Duration;

use keyfob::clock::Clock as _;
use keyfob::sandbox::{Behaviour, Endpoint, Fault, Gate, Options, Sandbox};

use crate::support::clock::HandClock;
use crate::support::{Shop, until};

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

/// A vendor whose clock goes on when that of this machine is set, and that clock.
fn beside_a_clock_of_its_own() -> (Shop, Arc<HandClock>) {
    let mut shop = Shop::of("inkress");
    let clock = Arc::new(HandClock::new());
    let options = Options {
        clock: clock.clone(),
        redirect_uris: vec![shop.redirect_uri.clone()],
        ..Options::default()
    };
    shop.sandbox = Sandbox::start("inkress", options).unwrap();
    shop.how = shop.sandbox.how_to_connect();
    (shop.and_connected(), clock)
}

#[test] // AT-12, RF16, A28
fn a_clock_that_jumps_either_way_costs_one_refresh() {
    for forwards in [true, false] {
        for jump in [HOUR, DAY] {
            let (shop, _) = beside_a_clock_of_its_own();
            let jump = Duration::from_secs(jump);
            match forwards {
                true => shop.world.clock.advance(jump),
                false => shop.world.clock.set_back(jump),
            }
            shop.line("call shop GET /orders").ok();
            shop.line("call shop GET /orders").ok();
            assert_eq!((shop.sandbox.rotations(), shop.calls()), (1, 2), "{forwards} {jump:?}");
            assert_eq!(shop.sandbox.spent_tokens_seen(), 0);
        }
    }
}

#[test] // AT-12, RF16
fn a_clock_that_is_set_back_a_little_or_was_wrong_from_the_start_costs_none() {
    let (shop, _) = beside_a_clock_of_its_own();
    shop.world.clock.set_back(Duration::from_secs(5 * 60));
    shop.line("call shop GET /orders").ok();
    assert_eq!(shop.sandbox.rotations(), 0, "five minutes");
    shop.world.clock.set_back(Duration::from_secs(1));
    shop.line("call shop GET /orders").ok();
    assert_eq!((shop.sandbox.rotations(), shop.calls()), (1, 2), "more than five minutes");
    for forwards in [true, false] {
        let (shop, _) = beside_a_clock_of_its_own();
        match forwards {
            true => shop.world.clock.advance(Duration::from_secs(DAY)),
            false => shop.world.clock.set_back(Duration::from_secs(DAY)),
        }
        shop.line("refresh shop").ok();
        shop.line("call shop GET /orders").ok();
        assert_eq!((shop.sandbox.rotations(), shop.calls()), (1, 1), "{forwards}");
    }
}

#[test] // AT-12, A28
fn a_clock_that_stands_still_while_the_vendor_s_goes_on_costs_one_refused_call() {
    let (shop, vendor) = beside_a_clock_of_its_own();
    vendor.advance(Duration::from_secs(2 * HOUR));
    shop.line("call shop GET /orders").ok();
    shop.line("call shop GET /orders").ok();
    assert_eq!((shop.sandbox.rotations(), shop.calls()), (1, 3));
    assert_eq!(shop.sandbox.spent_tokens_seen(), 0);
}

#[test] // AT-12
fn after_eight_hours_of_sleep_one_refresh_is_enough() {
    let shop = Shop::connected("inkress");
    shop.world.pass(8 * HOUR);
    shop.line("call shop GET /orders").ok();
    shop.line("call shop GET /orders").ok();
    assert_eq!((shop.sandbox.rotations(), shop.calls()), (1, 2));
}

#[test] // AT-12, RF12
fn the_margin_is_a_minute_or_a_tenth_of_a_short_life() {
    for (lifetime, still, no_more) in [(3600, 3539, 3541), (100, 89, 91), (5, 4, 5)] {
        for (age, rotations) in [(still, 0), (no_more, 1)] {
            let brief = Behaviour { access_lifetime: Some(lifetime), ..Behaviour::default() };
            let shop = Shop::behaving("inkress", brief).and_connected();
            shop.world.pass(age);
            shop.line("token shop").ok();
            assert_eq!(shop.sandbox.rotations(), rotations, "{lifetime} {age}");
        }
    }
}

#[test] // T28, TS6, A28
fn an_absurd_lifetime_is_no_fault() {
    for lifetime in [0, 1, u32::MAX as u64, u64::MAX] {
        let odd = Behaviour { access_lifetime: Some(lifetime), ..Behaviour::default() };
        let shop = Shop::behaving("inkress", odd).and_connected();
        shop.line("status shop").ok();
        shop.line("refresh shop").ok();
    }
}

#[test] // AT-24
fn a_least_life_that_is_longer_than_the_rest_refreshes() {
    let shop = Shop::connected("inkress");
    shop.world.pass(HOUR / 2);
    shop.line("token shop --min-ttl 10m").ok();
    assert_eq!(shop.sandbox.rotations(), 0);
    shop.line("token shop --min-ttl 40m").ok();
    assert_eq!(shop.sandbox.rotations(), 1);
}

#[test] // AT-12
fn a_life_counts_from_when_it_was_asked_for() {
    let shop = Shop::connected("inkress");
    let asked_at = shop.world.clock.now();
    let gate = Gate::default();
    shop.sandbox.next_token_answers(vec![Fault::Held(gate.clone())]);
    std::thread::scope(|scope| {
        let before = shop.token_requests();
        let (sandbox, clock) = (&shop.sandbox, &shop.world.clock);
        scope.spawn(move || {
            until("the token request", || sandbox.counts(Endpoint::Token) > before);
            clock.advance(Duration::from_secs(40));
            gate.open();
        });
        shop.line("refresh shop").ok();
    });
    let ends = shop.world.status("shop")["access_expires_at"].as_str().unwrap().to_owned();
    let ends: jiff::Timestamp = ends.parse().unwrap();
    assert_eq!(ends.duration_since(asked_at).as_secs(), 3600);
}
