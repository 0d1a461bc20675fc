#include "support/http_client.hpp"
#include "torture/client.hpp"

#include <set>

namespace rowcast::torture {

using namespace std::chrono_literals;
using nlohmann::json;

namespace {

std::set<std::string> subscriptions_of(const json& event)
{
    std::set<std::string> names;
    for (const std::string name : event.at("subs")) {
        names.insert(name);
    }
    return names;
}

// What may be answered while things are broken; anything else is a broken promise.
void accept_refusal(unsigned status, const std::string& body)
{
    if (status != 503 && status != 429) { // not now, or no descriptor left for it
        throw broken_promise("refused with " + std::to_string(status) + ": " + body);
    }
    throw std::runtime_error("refused for now: " + body);
}

} // namespace

void client::over_sse()
{
    support::http_client wire(port_, options_.receive_buffer);
    const auto after = common_cursor();
    std::string target = "/v1/sse?access_token=" + options_.token + query();
    support::http_client::headers headers;
    if (after && random_.once_in(2)) {
        headers["Last-Event-ID"] = *after;
    } else if (after) {
        target += "&after=" + *after;
    }
    const auto opened = wire.open_stream(target, headers);
    if (opened.status != 200) {
        accept_refusal(opened.status, "");
    }
    bool announced = false;
    std::set<std::string> ended;
    while (!done_) {
        const auto event = wire.next_event(left());
        if (!event) {
            note("the stream ended");
            return;
        }
        const json data = json::parse(event->data);
        if (event->name == "error") {
            to_.count("errors: " + data.value("code", ""));
            note("error " + event->data);
            if (data.value("code", "") != "unavailable") {
                complain("an error that nobody has earned: " + event->data);
            }
            return;
        }
        const bool first = !std::exchange(announced, true);
        if (first) {
            const std::string status = event->name == "reset" ? "reset" : data.value("status", event->name);
            note(status + " " + data.value("reason", ""));
            to_.count("answers: " + status + (status == "reset" ? " " + data.value("reason", "") : ""));
            if (status != "resumed" && status != (after ? "reset" : "live")) {
                complain("a stream that begins with " + event->name + " " + event->data);
            }
            if (status == "resumed" && !after) {
                complain("resumed from nowhere");
            }
            for (auto& [name, each] : replicas_) {
                if (status != "resumed" || !each.held()) {
                    each.forget(data.at("cursor").get<std::string>());
                }
            }
            read_missing();
        } else if (event->name == "change") {
            for (const std::string& name : subscriptions_of(data)) {
                if (ended.contains(name)) {
                    complain("an event for " + name + " after its resync");
                }
                receive(replicas_.at(name), data);
            }
        } else if (event->name == "resync") {
            note("resync " + event->data);
            to_.count("resyncs");
            const std::string name = data.at("id");
            replicas_.at(name).forget(std::nullopt);
            ended.insert(name);
            until_ = std::min(until_, clock::now() + 3s); // the others' cursor should come to lie behind it
        } else if (event->name != "cursor") {
            complain("what is " + event->name + "?");
        }
        if (event->id && !first && event->name != "resync") { // the first one only says where it begins
            for (auto& [name, each] : replicas_) {
                if (!ended.contains(name)) {
                    advance(each, *event->id, false);
                }
            }
        }
        check_end();
        stall(event->id ? 150 : 2000);
    }
}

void client::over_polling()
{
    support::http_client wire(port_, options_.receive_buffer);
    auto cursor = common_cursor();
    const std::string base = "/v1/changes?access_token=" + options_.token + query();
    while (!done_) {
        left();
        if (!cursor) {
            const auto answer = wire.get(base, {}, left());
            if (answer.status != 200) {
                accept_refusal(answer.status, answer.body);
            }
            const json page = json::parse(answer.body);
            if (!page.at("events").empty()) {
                complain("events before there was a cursor");
            }
            cursor = page.at("cursor");
            to_.count("answers: live");
            forget_all(cursor);
        }
        for (auto& [name, each] : replicas_) {
            if (!each.held()) {
                each.forget(cursor);
            }
        }
        read_missing();
        constexpr unsigned limits[] = {20, 500, 5000, 10'000};
        const std::string how =
            "&limit=" + std::to_string(limits[random_.below(4)]) + "&wait=" + std::to_string(random_.below(4));
        const auto answer = wire.get(base + how + "&after=" + *cursor, {}, left() + 5s);
        if (answer.status == 410 || answer.status == 400) {
            const std::string code = json::parse(answer.body).at("code");
            note("reset " + code);
            to_.count("answers: reset " + code);
            if (!code.starts_with("cursor_")) {
                complain("refused: " + answer.body);
            }
            cursor.reset();
            forget_all(std::nullopt);
            continue;
        }
        if (answer.status != 200) {
            accept_refusal(answer.status, answer.body);
        }
        const json page = json::parse(answer.body);
        cursor = page.at("cursor");
        for (const json& event : page.at("events")) {
            for (const std::string& name : subscriptions_of(event)) {
                receive(replicas_.at(name), event);
            }
        }
        std::set<std::string> ended;
        for (const json& each : page.value("resync", json::array())) {
            note("resync " + each.dump());
            to_.count("resyncs");
            ended.insert(each.at("id").get<std::string>());
            replicas_.at(each.at("id")).forget(std::nullopt);
        }
        for (auto& [name, each] : replicas_) {
            if (!ended.contains(name)) {
                advance(each, *cursor, page.at("more"));
            }
        }
        check_end();
        stall(150);
    }
}

} // namespace rowcast::torture
