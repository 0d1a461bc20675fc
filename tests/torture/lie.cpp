#include "support/http_client.hpp"
#include "support/websocket_client.hpp"
#include "torture/client.hpp"

namespace rowcast::torture {

using nlohmann::json;

namespace {

struct made_up {
    std::string cursor;
    std::string reason; // that it must be refused for
};

made_up make_up(dice& random, const std::optional<std::string>& real)
{
    switch (random.below(3)) {
    case 0:
        return {"AAAA-never_was_a_cursor", "cursor_malformed"};
    case 1:
        return {core::cursor_codec("another database", std::string(32, 'k')).seal({{5, 7, {6}}, std::nullopt}),
                "cursor_foreign"};
    default:
        if (!real) {
            return {"-", "cursor_malformed"};
        }
        std::string damaged = *real;
        char& one = damaged[unmarked(damaged).size() - 1 - random.below(10)]; // of the signature
        one = one == 'x' ? 'y' : 'x';
        return {damaged, "cursor_malformed"};
    }
}

} // namespace

// A cursor that is none is refused for the right reason, on every transport. That nothing is answered is forgiven while
// faults are about.
void client::lie()
{
    std::optional<std::string> real = common_cursor();
    if (real && in_.timeline_of(*real) != in_.timeline()) {
        real.reset(); // foreign, whatever its signature
    }
    const made_up lie = make_up(random_, real);
    std::string answered;
    try {
        switch (random_.below(3)) {
        case 0: {
            support::websocket_client wire(port_, "/v1/ws", {{"Authorization", "Bearer " + options_.token}});
            wire.send({{"type", "subscribe"}, {"id", "lie"}, {"table", "public.plain"}, {"after", lie.cursor}});
            const json answer = wire.await("subscribed");
            answered = answer.at("status").get<std::string>() + " " + answer.value("reason", "");
            break;
        }
        case 1: {
            support::http_client wire(port_);
            if (wire.open_stream("/v1/sse?table=public.plain&access_token=" + options_.token + "&after=" + lie.cursor)
                    .status != 200) {
                return;
            }
            const auto event = wire.next_event();
            if (!event || event->name == "error") {
                return;
            }
            answered = event->name + " " + json::parse(event->data).value("reason", "");
            break;
        }
        default: {
            support::http_client wire(port_);
            const auto answer =
                wire.get("/v1/changes?table=public.plain&access_token=" + options_.token + "&after=" + lie.cursor);
            if (answer.status == 503 || answer.status == 429) {
                return;
            }
            const std::string code = json::parse(answer.body).value("code", "");
            const bool fits = answer.status == (code == "cursor_malformed" ? 400 : 410);
            answered = (fits ? "reset " : "status " + std::to_string(answer.status) + " ") + code;
        }
        }
    } catch (const json::exception&) {
        throw;
    } catch (const std::exception& error) {
        note(std::string("its lie was not answered: ") + error.what());
        return;
    }
    const bool fail_over = lie.reason == "cursor_malformed" && answered == "reset cursor_foreign" && real &&
                           in_.timeline_of(*real) != in_.timeline();
    if (answered != "reset " + lie.reason && !fail_over) {
        complain("the cursor " + lie.cursor + ", which is " + lie.reason + ", was answered with " + answered);
    }
    to_.count("lies refused");
}

} // namespace rowcast::torture
