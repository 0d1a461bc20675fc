#pragma once

#include "support/eventually.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace rowcast::support {

/// How a cursor reaches the bridge, and the changes the client.
enum class way { websocket, sse, sse_last_event_id, polling };

inline constexpr way every_way[] = {way::websocket, way::sse, way::sse_last_event_id, way::polling};

std::string name_of(way how);

/// A client of one table that keeps its cursor as docs/protocol.md says. The same to a test on every transport.
class subscriber {
public:
    struct wish {
        std::string table = "public.t";
        std::optional<std::string> after;
        unsigned limit = 500; // polling: events an answer
        bool snapshot = false; // with the rows that are there; not together with `after`
    };

    /// Returns when the bridge has answered. Throws when it does not, or not as the protocol says.
    subscriber(way how, std::uint16_t port, wish what, std::chrono::milliseconds within = patience);
    ~subscriber();
    subscriber(subscriber&&) noexcept;

    /// What the bridge said about the cursor: "live", "resumed", or "reset" and the reason.
    const std::string& answer() const;

    /// With `snapshot`: what was there when it began.
    const std::vector<nlohmann::json>& rows() const;

    /// Holds for all that `next` has returned.
    const std::string& cursor() const;

    struct part {
        std::vector<nlohmann::json> events;
        bool more = false;                  // the last transaction goes on
        std::optional<std::string> resync;  // the subscription has ended, for this reason
    };
    /// The next events, up to a cursor that covers them; none where only the cursor has moved. Throws when nothing comes
    /// in time or the connection ends; what had come since the last cursor is then forgotten, as a client must.
    part next(std::chrono::milliseconds within = patience);

    struct state; // of one transport

private:
    std::unique_ptr<state> state_;
};

/// The member `id` of the keys of everything up to the row with that one.
std::vector<int> ids_until(subscriber& from, int last, std::chrono::milliseconds within = patience);

}
