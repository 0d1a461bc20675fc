#include "torture/replica.hpp"

#include "support/eventually.hpp"

#include <algorithm>

namespace rowcast::torture {
namespace {

using nlohmann::json;

// More than one connection can repeat, and little enough for many replicas.
constexpr std::size_t remembered = 20'000;

std::uint64_t number(const json& text)
{
    return std::stoull(text.get<std::string>());
}

} // namespace

json without_nulls(json row)
{
    for (auto it = row.begin(); it != row.end();) {
        it = it->is_null() ? row.erase(it) : std::next(it);
    }
    return row;
}

// As the documentation of a client would have to say it: what is not yet on disk may be taken back by a crash, and its
// transaction ids be given out again; so the snapshot counts only once the log is flushed.
reading read_rows(const world& from, const std::vector<const view*>& views)
{
    reading result;
    result.timeline = from.timeline();
    pqxx::connection connection = from.connect();
    never_reconnect(connection);
    const auto run = [&](const std::string& sql) { return pqxx::nontransaction{connection}.exec(sql); };
    run("set search_path = public; set timezone = 'UTC'; begin isolation level repeatable read");
    // TRUNCATE and what ALTER TABLE does to rows respect no snapshot.
    run("lock table plain, pairs, parted, texts, secrets, quiet in access share mode");
    const pqxx::row now = run("select pg_current_snapshot(), pg_current_wal_insert_lsn()")[0];
    result.at = core::snapshot::parse(now[0].c_str()).value();
    const std::string written = now[1].c_str();
    for (const view* each : views) {
        row_set& rows = result.rows[each->name];
        for (const auto& row : run(each->sql)) {
            rows[json::parse(row[0].c_str()).dump()] = without_nulls(json::parse(row[1].c_str())).dump();
        }
    }
    run("commit");
    while (!run("select pg_current_wal_flush_lsn() >= '" + written + "'")[0][0].as<bool>()) {
        run("select pg_logical_emit_message(true, 'torture', '')");
    }
    if (from.timeline() != result.timeline) {
        throw std::runtime_error("a fail-over while the rows were read");
    }
    return result;
}

bool recent::add(std::uint64_t what)
{
    if (!set_.insert(what).second) {
        return false;
    }
    order_.push_back(what);
    if (order_.size() > remembered) {
        set_.erase(order_.front());
        order_.pop_front();
    }
    return true;
}

void replica::forget(std::optional<std::string> cursor)
{
    const view& of = *of_;
    const std::size_t applied = applied_;
    *this = replica(of, whole_frames_);
    cursor_ = std::move(cursor);
    applied_ = applied;
}

void replica::take_rows(const reading& what)
{
    held_ = true;
    base_ = what.at;
    timeline_ = what.timeline;
    rows_ = what.rows.at(of_->name);
}

void replica::take_nothing()
{
    held_ = true;
}

void replica::receive(json event)
{
    staged_.push_back(std::move(event));
}

void replica::advance(const world& in, const std::string& cursor, bool more)
{
    if (whole_frames_ && more) {
        return;
    }
    cursor_ = cursor;
    covered_ = staged_.size();
    if (held_) {
        settle(in, cursor, more);
    }
}

void replica::disconnect()
{
    if (held_) {
        staged_.resize(covered_);
    } else {
        forget(std::nullopt);
    }
}

void replica::settle(const world& in, const std::string& cursor, bool more)
{
    const auto timeline = in.timeline_of(cursor);
    if (!timeline) {
        throw broken_promise(of_->name + ": a cursor that nobody made: " + cursor);
    }
    if (of_->channel.empty() && *timeline < timeline_) {
        staged_.clear(); // of before the fail-over that the rows were read after; a reset must follow
        covered_ = 0;
        return;
    }
    if (of_->channel.empty() && *timeline > timeline_) {
        throw broken_promise(of_->name + ": the stream goes on over a fail-over without a word");
    }
    std::size_t whole = staged_.size();
    if (more && whole > 0) {
        const json& open = staged_.back().at("tx");
        while (whole > 0 && staged_[whole - 1].at("tx") == open) {
            --whole;
        }
    }
    for (std::size_t i = 0; i < whole; ++i) {
        apply(staged_[i]);
    }
    staged_.erase(staged_.begin(), staged_.begin() + static_cast<std::ptrdiff_t>(whole));
    covered_ = staged_.size();
    if (!more && open_ != 0) {
        finished_.add(std::exchange(open_, 0));
    }
}

void replica::apply(const json& event)
{
    const std::uint64_t tx = number(event.at("tx"));
    if (!ids_.add(number(event.at("id")))) {
        complain("a change that has come already", event);
    }
    if (open_ != tx) {
        if (open_ != 0) {
            finished_.add(open_);
        }
        if (finished_.has(tx)) {
            complain("a transaction that was over goes on", event);
        }
        open_ = tx;
    }
    ++applied_;
    if (event.contains("channel")) {
        apply_message(event, tx);
    } else if (!base_.sees(tx)) {
        apply_row(event);
    }
}

void replica::apply_row(const json& event)
{
    const std::string op = event.at("op");
    if (event.at("table") != of_->table) {
        complain("a change of another table", event);
    }
    if (op == "TRUNCATE") {
        rows_.clear();
        return;
    }
    const std::string key = event.at("key").dump();
    const auto found = rows_.find(key);
    const bool there = found != rows_.end();
    if (there != (op != "INSERT")) {
        complain(there ? "an INSERT of a row that is there: " + found->second : op + " of a row that is not there",
                 event);
    }
    const json held = there ? json::parse(found->second) : json::object();
    const json old = without_nulls(event.value("old", json::object()));
    if (op == "DELETE") {
        if (event.contains("old") && old != held) {
            complain("a DELETE whose former row is another than " + found->second, event);
        }
        rows_.erase(found);
        return;
    }
    const json row = without_nulls(event.at("row"));
    if (op == "UPDATE") {
        // What it says to have changed was as it says, and nothing else has changed.
        json before = row;
        for (const json& column : event.at("changed")) {
            before.erase(column.get<std::string>());
        }
        before.update(old);
        if (before != held) {
            complain("an UPDATE of another row than " + found->second, event);
        }
    }
    rows_[key] = row.dump();
}

void replica::apply_message(const json& event, std::uint64_t tx)
{
    if (event.at("channel") != of_->channel) {
        complain("a message of another channel", event);
    }
    const long n = event.at("payload").at("n");
    if (last_number_ && n != *last_number_ + 1) {
        complain("the message after number " + std::to_string(*last_number_), event);
    }
    last_number_ = n;
    last_message_ = tx;
}

void replica::complain(const std::string& what, const json& event) const
{
    throw broken_promise(of_->name + ": " + what + ": " + event.dump().substr(0, 1000));
}

} // namespace rowcast::torture
