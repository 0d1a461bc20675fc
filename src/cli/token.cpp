#include "auth/authenticator.hpp"
#include "cli/commands.hpp"
#include "cli/settings.hpp"
#include "cli/token_claims.hpp"
#include "config/quantity.hpp"

#include <chrono>
#include <iostream>
#include <memory>

namespace rowcast::cli {

namespace {

struct options {
    token_wish wish;
    std::string expires = "1h";
    std::string secret;
    std::string file;
};

// The first key of the file that can sign; its issuer and audience become the token's.
or_exit<config::auth> find_key(const options& given)
{
    config::auth found;
    if (!given.file.empty()) {
        auto loaded = read_configuration(given.file);
        if (const auto* failed = std::get_if<exit_status>(&loaded)) {
            return *failed;
        }
        found = std::get<config::configuration>(std::move(loaded)).auth;
    }
    if (!given.secret.empty()) {
        found.jwt = {
            {.algorithm = "HS256", .secret = given.secret, .public_key = {}, .jwks = {}, .issuer = {}, .audience = {}, .at = {}}};
    }
    std::erase_if(found.jwt, [](const config::jwt_key& each) { return each.secret.empty(); });
    if (found.jwt.empty()) {
        std::cerr << "rowcast: nothing to sign with; give --config FILE with a secret in auth.jwt, or the secret in JWT_SECRET.\n";
        return exit_status::usage;
    }
    return found;
}

exit_status run(const options& given)
{
    const auto key = find_key(given);
    if (const auto* failed = std::get_if<exit_status>(&key)) {
        return *failed;
    }
    const auto lifetime = config::parse_duration(given.expires);
    if (!lifetime) {
        std::cerr << "rowcast: --expires wants a duration like 15m, 1h or 7d.\n";
        return exit_status::usage;
    }
    const auto& settings = std::get<config::auth>(key);
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const auto claims = claims_for(given.wish, settings, std::chrono::duration_cast<std::chrono::seconds>(now),
                                   std::chrono::duration_cast<std::chrono::seconds>(*lifetime));
    if (!claims) {
        std::cerr << "rowcast: " << claims.error().message << '\n';
        return exit_status::usage;
    }
    std::cout << auth::issue(*claims, settings.jwt.front()) << '\n';
    return exit_status::ok;
}

} // namespace

void add_token(CLI::App& program, action& chosen)
{
    auto given = std::make_shared<options>();
    CLI::App* command = program.add_subcommand("token", "Print a token, to try rules with");
    command->add_option("-s,--sub", given->wish.subject, "Who it is for")->type_name("USER");
    command->add_option("-r,--role", given->wish.roles, "A role; may be repeated")->delimiter(',')->type_name("ROLE");
    command->add_option("--claim", given->wish.claims, "Another claim; VALUE is JSON, or else text; may be repeated")
        ->type_name("NAME=VALUE");
    command->add_option("-e,--expires", given->expires, "For how long")->type_name("DURATION")->capture_default_str();
    command->add_option("-c,--config", given->file, "Sign with the first key of this bridge.yaml")->type_name("FILE");
    command
        ->add_option("--secret", given->secret,
                     "Sign with this (HS256); better in JWT_SECRET, where `ps` does not show it")
        ->envname("JWT_SECRET")
        ->type_name("TEXT");
    command->footer("  rowcast token --config config/bridge.yaml --sub 7 --role customer\n"
                    "  JWT_SECRET=... rowcast token --sub tess --role teller --claim branch=1 --expires 8h");
    on_chosen(*command, chosen, given, run);
}

} // namespace rowcast::cli
