#pragma once

#include "postgres/follower.hpp"
#include "support/eventually.hpp"

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace rowcast::test {

// What a follower told, and checks what must hold of every stream: steps without holes, whole transactions, ascending
// places, nothing twice.
class recorder {
public:
    postgres::follower_callbacks callbacks()
    {
        return {
            [this](const postgres::log_identity& identity, const core::snapshot& head) {
                begin("started", identity, head);
            },
            [this](core::batch_ptr page) { add(*page); },
            [this](std::string_view reason, const postgres::log_identity& identity, const core::snapshot& head) {
                begin(std::string(reason), identity, head);
            },
            [this](const postgres::notification& message) {
                change([&] { messages.push_back(message.channel + ":" + message.payload); });
            },
            {},
        };
    }

    observe::sink sink()
    {
        return [this](const observe::observation& seen) { change([&] { observations.push_back(seen); }); };
    }

    // Waits for an event, not for time. Throws with what there is instead.
    void wait_until(const std::function<bool()>& holds, const std::string& what)
    {
        std::unique_lock lock(mutex_);
        if (!changed_.wait_for(lock, support::patience, [&] { return !problem.empty() || holds(); })) {
            throw std::runtime_error("waited in vain for " + what + "; " + std::to_string(changes.size()) +
                                     " changes so far");
        }
        if (!problem.empty()) {
            throw std::runtime_error(problem);
        }
    }

    void wait_for_changes(std::size_t count)
    {
        wait_until([&] { return changes.size() >= count; }, std::to_string(count) + " changes");
    }

    void wait_for_start()
    {
        wait_until([&] { return !beginnings.empty(); }, "the start");
    }

    // For a change that came later than everything that matters.
    void wait_for_event(const std::string& event)
    {
        wait_until([&] { return !changes.empty() && changes.back().event == event; }, "the message " + event);
    }

    template <class Observation>
    std::size_t count()
    {
        const std::lock_guard lock(mutex_);
        std::size_t sum = 0;
        for (const auto& each : observations) {
            sum += std::holds_alternative<Observation>(each);
        }
        return sum;
    }

    // To be read by the test after a wait, while nothing comes.
    struct noted {
        core::place where;
        core::transaction_id xid;
        core::operation op;
        std::string table, after, before, event, payload, at;
    };

    std::vector<noted> changes;
    std::vector<std::pair<core::snapshot, core::snapshot>> steps;
    std::vector<std::string> beginnings;
    std::vector<std::string> messages;
    std::vector<observe::observation> observations;
    std::vector<core::cursor> positions; // after each page
    std::size_t largest_page = 0;
    std::string problem;
    std::function<void()> at_each_page; // on the follower's thread

private:
    template <class Act>
    void change(Act act)
    {
        const std::lock_guard lock(mutex_);
        act();
        changed_.notify_all();
    }

    void begin(std::string how, const postgres::log_identity&, const core::snapshot& head)
    {
        change([&] {
            beginnings.push_back(std::move(how));
            seen_ = head;
            last_ = {};
        });
    }

    void add(const core::batch& page)
    {
        if (at_each_page) {
            at_each_page();
        }
        change([&] {
            if (page.before != seen_) {
                problem = "a hole: " + seen_.to_string() + " then " + page.before.to_string();
            }
            for (const core::change& each : page.changes) {
                note(page, each);
            }
            largest_page = std::max(largest_page, page.changes.size());
            positions.push_back(page.position());
            if (page.complete) {
                steps.emplace_back(page.before, page.after);
                seen_ = page.after;
                last_ = {};
            }
        });
    }

    void note(const core::batch& page, const core::change& each)
    {
        if (each.where <= last_) {
            problem = "out of order at " + std::to_string(each.where.id);
        }
        if (page.before.sees(each.xid) || !page.after.sees(each.xid)) {
            problem = "of another step: " + std::to_string(each.where.id);
        }
        if (!ids_.insert(each.where.id).second) {
            problem = "twice: " + std::to_string(each.where.id);
        }
        last_ = each.where;
        changes.push_back({each.where, each.xid, each.op, each.table, std::string(each.after.json()),
                           std::string(each.before.json()), each.event, each.payload, each.at});
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    core::snapshot seen_;
    core::place last_;
    std::set<core::change_id> ids_;
};

} // namespace rowcast::test
