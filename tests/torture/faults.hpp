#pragma once

#include "torture/account.hpp"
#include "torture/bridge_process.hpp"
#include "torture/dice.hpp"
#include "torture/world.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace rowcast::torture {

using bridges = std::vector<std::unique_ptr<bridge_process>>;

// Everything that goes wrong, one thing after the other and sometimes two at once. Belongs to the thread that made the
// servers.
class faults {
public:
    faults(world& on, bridges& of, account& to, dice chance);

    // One at random, to its end.
    void strike();
    // This one; its name is one of those that the summary tells.
    void strike(const std::string& name);

    // Everything runs again.
    void heal();

private:
    void exhaust_connections();
    void exhaust_descriptors();
    void fail_over();
    void end_sessions(const std::string& whose);
    bridge_process& any_bridge();
    void pause(long least, long most);

    struct fault {
        std::string name;
        unsigned weight;
        std::function<void()> act;
    };

    world& world_;
    bridges& bridges_;
    account& account_;
    dice random_;
    std::vector<fault> all_;
};

} // namespace rowcast::torture
