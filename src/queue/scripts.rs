//! The scripts, each with the common preludes in front.

use std::sync::LazyLock;

use crate::tenant::Lua;

macro_rules! script {
    ($name:ident, $($file:literal),+) => {
        pub(super) static $name: LazyLock<Lua> = LazyLock::new(|| {
            Lua::new(concat!(include_str!("scripts/head.lua"), include_str!("scripts/common.lua"), $(include_str!($file)),+))
        });
    };
}

pub(super) static ACCEPT: LazyLock<Lua> =
    LazyLock::new(|| Lua::new(concat!(include_str!("scripts/head.lua"), include_str!("scripts/accept.lua"))));
script!(CLAIM, "scripts/claim.lua");
script!(PEEK, "scripts/peek.lua");
script!(RENEW, "scripts/renew.lua");
script!(ACK, "scripts/settle.lua", "scripts/ack.lua");
script!(RELEASE, "scripts/settle.lua", "scripts/release.lua");
script!(FENCE, "scripts/fence.lua");
script!(BURY, "scripts/bury.lua");
script!(SWEEP, "scripts/sweep.lua");
script!(SCHEDULE, "scripts/schedule.lua");
script!(REQUEUE, "scripts/requeue.lua");

pub(super) static HINT: LazyLock<Lua> = LazyLock::new(|| Lua::new(include_str!("scripts/hint.lua")));
pub(super) static PUMP: LazyLock<Lua> = LazyLock::new(|| Lua::new(include_str!("scripts/pump.lua")));
