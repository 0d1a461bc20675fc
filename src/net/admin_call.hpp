#pragma once

#include <boost/asio/awaitable.hpp>

#include "net/answer.hpp"
#include "net/router.hpp"
#include "net/worker.hpp"

namespace rowcast::net {

// POST /admin/NAME: has the action done, wherever that is, and waits for its answer.
boost::asio::awaitable<answer> run_call(worker& on, open_call what);

} // namespace rowcast::net
