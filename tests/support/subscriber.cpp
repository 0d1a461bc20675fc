#include "support/subscriber.hpp"

#include "support/http_client.hpp"
#include "support/websocket_client.hpp"

#include <stdexcept>

namespace rowcast::support {

using nlohmann::json;

std::string name_of(way how)
{
    switch (how) {
    case way::websocket:
        return "WebSocket";
    case way::sse:
        return "SSE, after";
    case way::sse_last_event_id:
        return "SSE, Last-Event-ID";
    case way::polling:
        return "polling";
    }
    return "";
}

struct subscriber::state {
    virtual ~state() = default;
    virtual part next(std::chrono::milliseconds within) = 0;

    std::string answer;
    std::string cursor;
    std::vector<json> rows;
};

namespace {

using part = subscriber::part;

std::string named(const json& said)
{
    const std::string status = said.at("status");
    return status == "reset" ? "reset " + said.at("reason").get<std::string>() : status;
}

struct by_websocket final : subscriber::state {
    by_websocket(std::uint16_t port, const subscriber::wish& what, std::chrono::milliseconds within) : client(port)
    {
        json message{{"type", "subscribe"}, {"id", "s"}, {"table", what.table}};
        if (what.after) {
            message["after"] = *what.after;
        }
        message["snapshot"] = what.snapshot;
        client.send(message);
        json said;
        do {
            const auto heard = client.receive(within);
            if (!heard || heard->at("type") == "error") {
                throw std::runtime_error(heard ? heard->dump() : "the bridge closed the WebSocket");
            }
            said = *heard;
        } while (said.at("type") != "subscribed");
        answer = named(said);
        cursor = said.at("cursor");
        for (bool more = what.snapshot; more; more = said.at("more")) {
            said = client.await("rows", within);
            rows.insert(rows.end(), said.at("rows").begin(), said.at("rows").end());
        }
        cursor = said.at("cursor");
    }

    part next(std::chrono::milliseconds within) override
    {
        for (;;) {
            const auto message = client.receive(within);
            if (!message) {
                throw std::runtime_error("the bridge closed the WebSocket with " + std::to_string(client.close_code()));
            }
            const std::string type = message->at("type");
            if (type == "resync") {
                return {{}, false, message->at("reason").get<std::string>()};
            }
            if (type == "error") {
                throw std::runtime_error(message->dump());
            }
            if (type == "changes" || type == "cursor") {
                cursor = message->at("cursor");
                return {message->value("events", std::vector<json>()), message->value("more", false), {}};
            }
        }
    }

    websocket_client client;
};

struct by_sse final : subscriber::state {
    by_sse(std::uint16_t port, const subscriber::wish& what, bool in_header, std::chrono::milliseconds within) : client(port)
    {
        std::string target = "/v1/sse?table=" + what.table + (what.snapshot ? "&snapshot=true" : "");
        http_client::headers headers;
        if (what.after && in_header) {
            headers["Last-Event-ID"] = *what.after;
        } else if (what.after) {
            target += "&after=" + *what.after;
        }
        const auto opened = client.open_stream(target, headers);
        if (opened.status != 200) {
            throw std::runtime_error("SSE: " + std::to_string(opened.status) + " " + opened.body);
        }
        if (what.snapshot) {
            begin_with_rows(within);
            return;
        }
        const auto first = client.next_event(within);
        if (!first) {
            throw std::runtime_error("SSE: the stream ended before it began");
        }
        const json data = json::parse(first->data);
        answer = first->name == "reset" ? "reset " + data.at("reason").get<std::string>() : named(data);
        cursor = first->id.value();
        if (cursor != data.at("cursor").get<std::string>()) {
            throw std::runtime_error("SSE: the id is not the cursor");
        }
    }

    void begin_with_rows(std::chrono::milliseconds within)
    {
        answer = "live";
        while (cursor.empty()) {
            const auto event = client.next_event(within);
            if (!event || (event->name != "rows" && event->name != "reset")) {
                throw std::runtime_error("SSE: " + (event ? event->name + " " + event->data : "the stream ended") + " among the rows");
            }
            const json data = json::parse(event->data);
            if (event->name == "rows") {
                rows.insert(rows.end(), data.at("rows").begin(), data.at("rows").end());
            }
            cursor = event->id.value_or("");
        }
    }

    part next(std::chrono::milliseconds within) override
    {
        part got;
        for (;;) {
            const auto event = client.next_event(within);
            if (!event) {
                throw std::runtime_error("SSE: the stream ended");
            }
            const json data = json::parse(event->data);
            if (event->name == "error") {
                throw std::runtime_error(event->data);
            }
            if (event->id) {
                cursor = *event->id;
            }
            if (event->name == "resync") {
                got.resync = data.at("reason").get<std::string>();
                return got;
            }
            if (event->name == "change") {
                got.events.push_back(data);
            }
            if (event->id) {
                return got;
            }
        }
    }

    http_client client;
};

struct by_polling final : subscriber::state {
    by_polling(std::uint16_t port, const subscriber::wish& what, std::chrono::milliseconds within)
        : client(port), target("/v1/changes?table=" + what.table + "&limit=" + std::to_string(what.limit))
    {
        if (what.snapshot) {
            const auto said = client.get("/v1/rows?table=" + what.table, {}, within);
            const json body = json::parse(said.body);
            if (said.status != 200 || !body.contains("cursor")) {
                throw std::runtime_error("rows: " + std::to_string(said.status) + " " + said.body.substr(0, 500));
            }
            answer = "live";
            cursor = body.at("cursor");
            rows = body.at("rows");
            return;
        }
        if (!what.after) {
            answer = "live";
            begin(within);
            return;
        }
        const auto said = client.get(target + "&after=" + *what.after, {}, within);
        const json body = json::parse(said.body);
        if (said.status == 200) {
            answer = "resumed";
            cursor = body.at("cursor");
            ahead = read(body);
            return;
        }
        const std::string code = body.at("code");
        const bool is_gone = code == "cursor_expired" || code == "cursor_foreign" || code == "permissions_changed";
        const unsigned expected = code == "cursor_malformed" ? 400 : is_gone ? 410 : 0;
        if (said.status != expected) {
            throw std::runtime_error("polling: " + std::to_string(said.status) + " " + said.body);
        }
        answer = "reset " + code;
        begin(within);
    }

    void begin(std::chrono::milliseconds within)
    {
        const auto said = client.get(target, {}, within);
        if (said.status != 200) {
            throw std::runtime_error("polling: " + std::to_string(said.status) + " " + said.body);
        }
        cursor = json::parse(said.body).at("cursor");
    }

    static part read(const json& body)
    {
        part got{body.at("events"), body.at("more"), {}};
        if (body.contains("resync")) {
            got.resync = body.at("resync").at(0).at("reason").get<std::string>();
        }
        return got;
    }

    part next(std::chrono::milliseconds within) override
    {
        if (ahead) {
            return *std::exchange(ahead, std::nullopt);
        }
        const auto said = client.get(target + "&wait=20&after=" + cursor, {}, within + std::chrono::seconds(20));
        const json body = json::parse(said.body);
        if (said.status == 410) {
            begin(within);
            return {{}, false, body.at("code").get<std::string>()};
        }
        if (said.status != 200) {
            throw std::runtime_error("polling: " + std::to_string(said.status) + " " + said.body);
        }
        cursor = body.at("cursor");
        return read(body);
    }

    http_client client;
    std::string target;
    std::optional<part> ahead;
};

} // namespace

subscriber::subscriber(way how, std::uint16_t port, wish what, std::chrono::milliseconds within)
{
    if (how == way::websocket) {
        state_ = std::make_unique<by_websocket>(port, what, within);
    } else if (how == way::polling) {
        state_ = std::make_unique<by_polling>(port, what, within);
    } else {
        state_ = std::make_unique<by_sse>(port, what, how == way::sse_last_event_id, within);
    }
}

subscriber::~subscriber() = default;
subscriber::subscriber(subscriber&&) noexcept = default;

const std::string& subscriber::answer() const
{
    return state_->answer;
}

const std::vector<json>& subscriber::rows() const
{
    return state_->rows;
}

const std::string& subscriber::cursor() const
{
    return state_->cursor;
}

subscriber::part subscriber::next(std::chrono::milliseconds within)
{
    return state_->next(within);
}

std::vector<int> ids_until(subscriber& from, int last, std::chrono::milliseconds within)
{
    std::vector<int> ids;
    while (ids.empty() || ids.back() != last) {
        const auto got = from.next(within);
        if (got.resync) {
            throw std::runtime_error("the subscription ended: " + *got.resync);
        }
        for (const json& event : got.events) {
            ids.push_back(event.at("key").at("id"));
        }
    }
    return ids;
}

}
