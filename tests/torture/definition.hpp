#pragma once

#include "torture/account.hpp"
#include "torture/dice.hpp"
#include "torture/world.hpp"

namespace rowcast::torture {

// The DBA: changes the watched tables themselves, builds indexes, vacuums, until world::writing ends.
void change_definitions(const world& in, account& to, dice chance);

} // namespace rowcast::torture
