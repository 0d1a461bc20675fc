#include "support/websocket_client.hpp"
#include "torture/client.hpp"

#include <algorithm>
#include <set>

namespace rowcast::torture {

using nlohmann::json;

// A WebSocket connection: what docs/protocol.md says a client must keep in mind.
class websocket_talk {
public:
    explicit websocket_talk(client& of)
        : me_(of)
        , wire_(of.port_, "/v1/ws",
                {{"Authorization", "Bearer " + of.options_.token}, {"Sec-WebSocket-Protocol", "rowcast.v1"}},
                of.options_.receive_buffer)
    {
    }

    void run()
    {
        std::vector<std::string> names;
        for (const auto& [name, each] : me_.replicas_) {
            names.push_back(name);
        }
        for (std::size_t i = names.size(); i > 1; --i) {
            std::swap(names[i - 1], names[me_.random_.below(static_cast<unsigned>(i))]);
        }
        for (const std::string& name : names) {
            subscribe(name);
        }
        while (!me_.done_) {
            const auto message = wire_.receive(me_.left());
            if (!message) {
                me_.note("closed with " + std::to_string(wire_.close_code()));
                complain_of(wire_.close_code());
                return;
            }
            take(*message);
            read_rows();
            me_.check_end();
            misbehave(*message);
        }
    }

private:
    enum class standing { asked, catching_up, live, leaving, gone };

    void subscribe(const std::string& name)
    {
        const replica& what = me_.replicas_.at(name);
        json message{{"type", "subscribe"}, {"id", name}};
        if (what.of().channel.empty()) {
            message["table"] = what.of().table;
            message["old"] = true;
        } else {
            message["channel"] = what.of().channel;
        }
        if (!what.of().filter.empty()) {
            message["where"] = json::parse(what.of().filter);
        }
        if (!what.of().columns.empty()) {
            message["columns"] = what.of().columns;
        }
        if (what.held()) {
            message["after"] = *what.cursor();
        }
        standing_[name] = standing::asked;
        wire_.send(message);
    }

    void take(const json& message)
    {
        const std::string type = message.at("type");
        if (type == "changes") {
            take_changes(message);
        } else if (type == "cursor") {
            for (const auto& [name, how] : standing_) {
                if (how == standing::catching_up || how == standing::live) { // what is asked for may have crossed it
                    me_.advance(me_.replicas_.at(name), message.at("cursor"), false);
                }
            }
        } else if (type == "subscribed") {
            take_answer(message);
        } else if (type == "resync") {
            const std::string name = message.at("id");
            expect(name, "resync");
            me_.note("resync " + message.dump());
            me_.to_.count("resyncs");
            me_.replicas_.at(name).forget(std::nullopt);
            unread_.erase(name);
            subscribe(name);
        } else if (type == "unsubscribed") {
            const std::string name = message.at("id");
            if (standing_.at(name) == standing::leaving) {
                standing_[name] = standing::gone;
                me_.replicas_.at(name).disconnect();
            }
        } else if (type == "error") {
            take_error(message);
        } else if (type == "goodbye") {
            me_.note("goodbye");
        }
    }

    void take_answer(const json& message)
    {
        const std::string name = message.at("id");
        const std::string status = message.at("status");
        replica& what = me_.replicas_.at(name);
        if (standing_.at(name) == standing::leaving) {
            return;
        }
        if (standing_.at(name) != standing::asked || (status == "live") == what.held()) {
            me_.complain("an answer that does not fit: " + message.dump());
        }
        me_.note(name + " " + status + " " + message.value("reason", ""));
        me_.to_.count("answers: " + status + (status == "reset" ? " " + message.value("reason", "") : ""));
        if (status == "resumed") {
            standing_[name] = standing::catching_up;
            return;
        }
        standing_[name] = standing::live;
        what.forget(message.at("cursor").get<std::string>());
        unread_.insert(name);
    }

    void take_changes(const json& message)
    {
        const std::string cursor = message.at("cursor");
        const bool more = message.at("more");
        const bool alone = message.contains("id");
        const std::string only = message.value("id", "");
        if (alone && (expect(only, "changes") == standing::live)) {
            me_.complain("changes of its own for " + only + ", which is live");
        }
        for (const json& event : message.at("events")) {
            for (const std::string name : event.at("subs")) {
                if (alone && name != only) {
                    me_.complain("an event for " + name + " among those of " + only);
                }
                if (!alone && expect(name, "an event") == standing::catching_up) {
                    me_.complain("an event among those of the live ones for " + name + ", which is catching up");
                }
                me_.receive(me_.replicas_.at(name), event);
            }
        }
        for (auto& [name, how] : standing_) {
            if (alone ? name == only
                      : how == standing::live || (how == standing::leaving && left_live_.contains(name))) {
                me_.advance(me_.replicas_.at(name), cursor, more);
            }
        }
        if (message.value("live", false) && standing_.at(only) == standing::catching_up) {
            standing_[only] = standing::live;
        }
        if (more) {
            me_.to_.count("frames that end inside a transaction");
        }
    }

    void take_error(const json& message)
    {
        me_.note("error " + message.dump());
        const std::string code = message.at("code");
        me_.to_.count("errors: " + code);
        const std::string name = message.value("id", "");
        if (code == "unknown_subscription" && standing_.contains(name) && standing_.at(name) != standing::gone) {
            return; // a resync came between
        }
        if (code != "unavailable" && code != "shutdown" && code != "no_heartbeat" && code != "too_many_sessions") {
            me_.complain("an error that nobody has earned: " + message.dump());
        }
        throw std::runtime_error("error " + code);
    }

    void complain_of(unsigned code)
    {
        if (code >= 4400 && code != 4408 && code != 4429) {
            me_.complain("closed with " + std::to_string(code));
        }
    }

    // Nothing of a subscription comes before its `subscribed` or after its `unsubscribed`.
    standing& expect(const std::string& name, const std::string& what)
    {
        const auto found = standing_.find(name);
        if (found == standing_.end() || found->second == standing::asked || found->second == standing::gone) {
            me_.complain(what + " for " + name + ", which is not subscribed");
        }
        return found->second;
    }

    void read_rows()
    {
        const bool waiting = std::any_of(standing_.begin(), standing_.end(),
                                         [](const auto& each) { return each.second == standing::asked; });
        if (!unread_.empty() && !waiting) {
            me_.read_missing({unread_.begin(), unread_.end()});
            unread_.clear();
        }
    }

    void misbehave(const json& message)
    {
        if (!me_.in_.misbehaving) {
            for (const auto& [name, how] : std::map(standing_)) {
                if (how == standing::gone) {
                    subscribe(name);
                }
            }
            return;
        }
        if (message.value("more", false) && me_.random_.once_in(20)) {
            throw std::runtime_error("drops the connection inside a transaction");
        }
        me_.stall(message.value("more", false) ? 20 : 150);
        if (me_.random_.once_in(30)) {
            auto one = standing_.begin();
            std::advance(one, me_.random_.below(static_cast<unsigned>(standing_.size())));
            if (one->second == standing::gone) {
                me_.note("subscribes again to " + one->first);
                subscribe(one->first);
            } else if ((one->second == standing::live || one->second == standing::catching_up) &&
                       me_.replicas_.at(one->first).held()) {
                me_.note("unsubscribes from " + one->first);
                if (one->second == standing::live) {
                    left_live_.insert(one->first);
                } else {
                    left_live_.erase(one->first);
                }
                one->second = standing::leaving;
                wire_.send({{"type", "unsubscribe"}, {"id", one->first}});
            }
        }
    }

    client& me_;
    support::websocket_client wire_;
    std::map<std::string, standing> standing_;
    std::set<std::string> unread_;
    std::set<std::string> left_live_; // who unsubscribes was live
};

void client::over_websocket()
{
    websocket_talk(*this).run();
}

} // namespace rowcast::torture
