#include "postgres/follower_life.hpp"

#include <catch2/catch.hpp>

using rowcast::postgres::follower_life;
using action = follower_life::action;
using event = follower_life::event;
using namespace std::chrono_literals;

TEST_CASE("a follower connects, prepares, and then reads and waits in turn")
{
    follower_life life;
    CHECK(life.current() == action::connect);
    CHECK(life.next(event::done, 0) == action::prepare);
    CHECK(life.next(event::done, 0) == action::read);
    CHECK(life.next(event::done, 0) == action::wait);
    CHECK(life.next(event::done, 0) == action::read);
}

TEST_CASE("whatever fails leads back to a new connection, after a time that grows to ten seconds and not beyond")
{
    for (int done_before = 0; done_before < 4; ++done_before) {
        follower_life life;
        for (int i = 0; i < done_before; ++i) {
            life.next(event::done, 0);
        }
        CHECK(life.next(event::failed, 0.5) == action::back_off);
        CHECK(life.delay() == 50ms);
        CHECK(life.next(event::done, 0) == action::connect);
    }
    follower_life life;
    std::chrono::milliseconds longest{0};
    for (int i = 0; i < 100; ++i) {
        CHECK(life.next(event::failed, 0.9999) == action::back_off);
        CHECK(life.delay() >= longest);
        longest = life.delay();
        life.next(event::done, 0);
    }
    CHECK(longest > 9s);
    CHECK(longest < 10s);
    life.next(event::failed, 0);
    CHECK(life.delay() == 0ms);
}

TEST_CASE("only a read that succeeded makes the next failure's delay short again")
{
    follower_life life;
    for (int i = 0; i < 6; ++i) {
        life.next(event::failed, 0.5);
        life.next(event::done, 0);
    }
    life.next(event::done, 0); // connected
    life.next(event::failed, 0.5);
    CHECK(life.delay() > 1s);
    for (int i = 0; i < 4; ++i) {
        life.next(event::done, 0); // rested, connected, prepared, read
    }
    life.next(event::failed, 0.5);
    CHECK(life.delay() == 50ms);
}

TEST_CASE("a follower that was stopped stays so")
{
    follower_life life;
    CHECK(life.next(event::stopped, 0) == action::end);
    CHECK(life.next(event::done, 0) == action::end);
    CHECK(life.next(event::failed, 0) == action::end);
}
