#include "torture/client.hpp"

#include <algorithm>
#include <array>

namespace rowcast::torture {

using namespace std::chrono_literals;
using nlohmann::json;

namespace {

constexpr std::size_t longest_trace = 150;

std::string_view name_of(transport which)
{
    constexpr std::array<std::string_view, 3> names{"websocket", "sse", "polling"};
    return names.at(static_cast<std::size_t>(which));
}

// RFC 3986, so that what is in it separates nothing.
std::string percent_encoded(std::string_view text)
{
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (std::isalnum(byte) != 0 || c == '_' || c == '-' || c == '.') {
            out += c;
        } else {
            out += {'%', digits[byte >> 4], digits[byte & 15]};
        }
    }
    return out;
}

// UTC, as in the bridges' logs.
std::string time_of_day()
{
    const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
    const std::chrono::hh_mm_ss time(now - std::chrono::floor<std::chrono::days>(now));
    const auto padded = [](long number, std::size_t width) {
        const std::string text = std::to_string(number);
        return std::string(width - std::min(width, text.size()), '0') + text;
    };
    return padded(time.hours().count(), 2) + ":" + padded(time.minutes().count(), 2) + ":" +
           padded(time.seconds().count(), 2) + "." + padded(time.subseconds().count(), 3);
}

} // namespace

client::client(const world& in, account& to, std::vector<std::uint16_t> bridges, dice chance, client_options options)
    : in_(in)
    , to_(to)
    , bridges_(std::move(bridges))
    , random_(std::move(chance))
    , options_(std::move(options))
    , views_(views_of(options_.who, options_.variant))
{
    for (const view& each : views_) {
        replicas_.emplace(each.name, replica(each, options_.whole_frames));
    }
}

void client::run()
{
    try {
        while (!in_.over && !done_) {
            live_once();
            if (in_.misbehaving && !done_) {
                idle();
            }
        }
    } catch (const std::exception& error) {
        std::string story;
        for (const std::string& each : trace_) {
            story += "    " + each + "\n";
        }
        to_.fail(options_.name + " over " + std::string(name_of(by_)) + " at " + time_of_day() + ": " + error.what() +
                 "\n" + story);
    }
}

// One connection, however it ends.
void client::live_once()
{
    const bool wild = in_.misbehaving;
    by_ = options_.transports[random_.below(static_cast<unsigned>(options_.transports.size()))];
    if (by_ != transport::websocket && cursors_differ()) {
        by_ = transport::websocket; // the only one where each subscription has a cursor of its own
    }
    if (port_ == 0 || options_.wanders || random_.once_in(20) || !wild) {
        port_ = bridges_[random_.below(static_cast<unsigned>(bridges_.size()))];
    }
    until_ = clock::now() +
             (wild ? random_.ms(random_.once_in(4) ? 50 : 1000, random_.once_in(4) ? 20'000 : 5000) : 30'000ms);
    note("connects to " + std::to_string(port_) + " over " + std::string(name_of(by_)));
    try {
        switch (by_) {
        case transport::websocket:
            over_websocket();
            break;
        case transport::sse:
            over_sse();
            break;
        case transport::polling:
            over_polling();
            break;
        }
    } catch (const broken_promise&) {
        throw;
    } catch (const json::exception& error) {
        complain(std::string("not the JSON that was promised: ") + error.what());
    } catch (const std::exception& error) {
        note(std::string("lost: ") + error.what());
        in_.sleep(random_.ms(20, wild ? 500 : 100));
    }
    to_.count("connections over " + std::string(name_of(by_)));
    for (auto& [name, each] : replicas_) {
        each.disconnect();
    }
}

// What clients do when they are not connected.
void client::idle()
{
    if (random_.once_in(15)) {
        lie();
    }
    if (random_.once_in(25)) {
        saved_ = replicas_;
        note("saves what it holds");
    } else if (saved_ && random_.once_in(30)) {
        replicas_ = *saved_;
        to_.count("clients that went back to what they had saved");
        note("goes back to what it had saved");
    }
    if (random_.once_in(20)) {
        in_.sleep(random_.ms(1000, 5000));
    } else if (options_.absence > 0ms && random_.once_in(60)) {
        note("is away for long");
        in_.sleep(options_.absence);
    } else if (random_.once_in(3)) {
        in_.sleep(random_.ms(0, 300));
    }
}

std::optional<std::string> client::common_cursor() const
{
    for (const auto& [name, each] : replicas_) {
        if (each.held()) {
            return each.cursor();
        }
    }
    return std::nullopt;
}

bool client::cursors_differ() const
{
    const auto common = common_cursor();
    return std::any_of(replicas_.begin(), replicas_.end(),
                       [&](const auto& entry) { return entry.second.held() && entry.second.cursor() != common; });
}

void client::forget_all(const std::optional<std::string>& cursor)
{
    for (auto& [name, each] : replicas_) {
        each.forget(cursor);
    }
}

void client::read_missing()
{
    std::vector<std::string> missing;
    for (const auto& [name, each] : replicas_) {
        if (!each.held()) {
            missing.push_back(name);
        }
    }
    read_missing(missing);
}

void client::read_missing(const std::vector<std::string>& of)
{
    std::vector<const view*> tables;
    for (const std::string& name : of) {
        replica& each = replicas_.at(name);
        if (each.of().channel.empty()) {
            tables.push_back(&each.of());
        } else {
            each.take_nothing();
        }
    }
    if (tables.empty()) {
        return;
    }
    const reading rows = read_rows(in_, tables);
    for (const view* each : tables) {
        replicas_.at(each->name).take_rows(rows);
    }
    to_.count("rows read anew");
    note("has read " + std::to_string(tables.size()) + " tables at " + rows.at.to_string());
}

std::string client::query() const
{
    std::string text;
    for (const view& each : views_) {
        std::string inner = each.channel.empty() ? "old=true" : "channel=" + each.channel;
        if (!each.url_filter.empty()) {
            inner += "&" + each.url_filter;
        }
        for (const std::string& column : each.columns) {
            inner += (&column == each.columns.data() ? "&columns=" : ",") + column;
        }
        text += "&sub=" + each.name + ":" + each.table + percent_encoded("?" + inner);
    }
    return text;
}

void client::receive(replica& by, json event)
{
    if (!options_.mutation.empty() && random_.once_in(3000)) {
        note(options_.mutation + " " + event.dump());
        if (options_.mutation == "loses") {
            return;
        }
        by.receive(event);
    }
    by.receive(std::move(event));
}

void client::advance(replica& which, const std::string& cursor, bool more)
{
    which.advance(in_, cursor, more);
    if (const std::size_t applied = which.take_applied(); applied != 0) {
        to_.count("received over " + std::string(name_of(by_)), applied);
    }
}

void client::stall(unsigned times)
{
    if (in_.misbehaving && random_.once_in(times)) {
        note("stalls");
        to_.count("stalls");
        in_.sleep(random_.ms(500, 7000));
    }
}

// Done is who holds everything that was committed before the last message on `end`, says each cursor.
void client::check_end()
{
    if (in_.misbehaving || in_.writing) {
        return;
    }
    const auto last = replicas_.at("end").last_message();
    done_ = last && std::all_of(replicas_.begin(), replicas_.end(), [&](const auto& entry) {
                const replica& each = entry.second;
                const auto position = each.cursor() ? in_.open(in_.timeline(), *each.cursor()) : std::nullopt;
                return each.held() && each.is_settled() && position && position->seen.sees(*last);
            });
}

std::chrono::milliseconds client::left() const
{
    if (in_.over || clock::now() >= until_) {
        throw std::runtime_error("enough of this connection");
    }
    return std::min(std::chrono::ceil<std::chrono::milliseconds>(until_ - clock::now()), 30'000ms);
}

void client::note(const std::string& what)
{
    trace_.push_back(time_of_day() + " " + what);
    if (trace_.size() > longest_trace) {
        trace_.pop_front();
    }
}

void client::complain(const std::string& what) const
{
    throw broken_promise(what);
}

std::vector<std::string> client::differences() const
{
    std::vector<const view*> tables;
    for (const view& each : views_) {
        if (each.channel.empty()) {
            tables.push_back(&each);
        }
    }
    const reading truth = read_rows(in_, tables);
    std::vector<std::string> found;
    for (const view* each : tables) {
        const row_set& wanted = truth.rows.at(each->name);
        const row_set& held = replicas_.at(each->name).rows();
        for (const auto& [key, row] : wanted) {
            const auto mine = held.find(key);
            if (mine == held.end() || mine->second != row) {
                found.push_back(each->name + ": " + row + " is held as " +
                                (mine == held.end() ? "nothing" : mine->second));
            }
        }
        for (const auto& [key, row] : held) {
            if (!wanted.contains(key)) {
                found.push_back(each->name + ": holds " + row + ", which is not there");
            }
        }
    }
    pqxx::connection connection = in_.connect();
    for (const auto& row : pqxx::nontransaction{connection}.exec(
             "select publisher, n from sequences where publisher < " + std::to_string(publishers))) {
        const auto last = replicas_.at("seq" + std::string(row[0].c_str())).last_number();
        if (last && *last != row[1].as<long>()) {
            found.push_back("channel seq:" + std::string(row[0].c_str()) + ": the last message is " + row[1].c_str() +
                            ", received was " + std::to_string(*last));
        }
    }
    return found;
}

} // namespace rowcast::torture
