#include "auth/fetch.hpp"
#include "auth/key.hpp"
#include "cli/commands.hpp"
#include "cli/configuration_problems.hpp"
#include "cli/diagnosis.hpp"
#include "cli/quantity_text.hpp"
#include "cli/settings.hpp"
#include "config/jwt.hpp"
#include "config/quantity.hpp"
#include "net/descriptors.hpp"
#include "net/tls.hpp"
#include "postgres/catalog_reader.hpp"

#include <unistd.h>

#include <iostream>
#include <memory>
#include <optional>
#include <stdexcept>

namespace rowcast::cli {

namespace {

using severity = finding::severity;
using std::chrono::seconds;

struct options {
    database_choice database;
    std::string longest_transaction;
    bool json = false;
};

constexpr seconds certificate_warning = std::chrono::days(30);
constexpr seconds key_set_patience{10};

std::vector<finding> configuration(const std::string& file, const std::vector<config::problem>& problems)
{
    std::vector<finding> found;
    for (const config::problem& each : problems) {
        const bool error = each.how_bad == config::problem::weight::error;
        found.push_back({error ? severity::error : severity::warning, config::to_string(each, file),
                         error ? "a bridge does not start with it" : "it may not do what was meant",
                         "correct it, then: rowcast check --config " + file});
    }
    return found;
}

std::vector<finding> key_sets(const config::auth& settings)
{
    std::vector<finding> found;
    for (const config::jwt_key& each : settings.jwt) {
        if (!each.jwks || !config::is_url(*each.jwks)) {
            continue;
        }
        const auto fetched = auth::fetch(*each.jwks, key_set_patience, [] { return false; });
        const auto keys =
            fetched ? auth::read_key_set(fetched->body, false) : core::result<auth::key_set>(fetched.error());
        if (!keys) {
            found.push_back(
                {severity::error, *each.jwks + ": " + keys.error().message,
                 "a bridge that starts now lets nobody in with this issuer's tokens",
                 "curl -v " + *each.jwks + " from this machine; then its firewall, its certificates, auth.jwt.jwks"});
        }
    }
    return found;
}

std::vector<finding> certificate(const config::tls& files)
{
    seconds valid{0};
    try {
        valid = net::remaining_validity(*net::make_tls_context(files));
    } catch (const std::invalid_argument& unusable) {
        return {{severity::error, unusable.what(), "a bridge cannot start with it", "correct server.tls, or the files"}};
    }
    if (valid < certificate_warning) {
        const bool over = valid.count() <= 0;
        return {{over ? severity::error : severity::warning,
                 files.certificate +
                     (over ? " has expired" : " expires in " + age_text(static_cast<double>(valid.count()))),
                 "clients refuse to connect once it has", "renew it (certbot renew), then SIGHUP to the bridge"}};
    }
    return {};
}

// As a bridge would have it that is started here.
std::vector<finding> descriptors(const config::limits& limits)
{
    net::raise_descriptor_limit();
    const std::size_t most = net::share_descriptors(net::descriptor_limit()).sessions;
    if (limits.sessions <= most) {
        return {};
    }
    return {
        {severity::warning,
         "file descriptors suffice for " + std::to_string(most) + " sessions, and server.limits.sessions is " +
             std::to_string(limits.sessions),
         "a bridge that is started like this command refuses the others",
         "LimitNOFILE=" + std::to_string(limits.sessions + 1000) + " in its unit, or a lower server.limits.sessions"}};
}

void look_at(const config::configuration& file, const std::string& name, std::vector<examination>& all)
{
    all.push_back({"configuration", configuration(name, problems_of(file))});
    all.push_back({"key sets", key_sets(file.auth)});
    if (file.server.certificate) {
        all.push_back({"certificate", certificate(*file.server.certificate)});
    }
    all.push_back({"file descriptors", descriptors(file.server.limits)});
}

// What ends the look at the database early is a finding as well.
exit_status look_at(const std::string& name, const std::string& url, const config::configuration* file,
                    const tolerance& within, std::vector<examination>& all)
{
    const auto fails = [&](const std::string& what, const std::string& remedy) {
        all.push_back({"database", {{severity::error, what, "nothing more can be looked at", remedy}}});
    };
    try {
        postgres::connection on({.url = url, .purpose = "rowcast command"});
        const bool other = file && !file->database.url.empty() && file->database.url != url;
        const std::string role =
            other ? postgres::connection({.url = file->database.url, .purpose = "rowcast command"}).user() : on.user();
        const auto status = postgres::administration({.url = url}).status();
        if (!status) {
            fails(status.error().message, status.error().code == core::error_code::forbidden
                                              ? "rowcast install --grant " + role
                                              : "see what it says");
            return exit_status::failed;
        }
        for (examination& each :
             diagnose(*status, postgres::read_health(on, role), file ? &file->database.keep : nullptr, within)) {
            all.push_back(std::move(each));
        }
        if (file) {
            const auto watched = postgres::read_catalog(on);
            all.push_back({"rules", configuration(name, problems_with(*file, on, *watched, url))});
        }
        return exit_status::ok;
    } catch (const postgres::connection_lost& why) {
        fails(why.what(), "start PostgreSQL, or correct the URL");
        return exit_status::database_unreachable;
    } catch (const postgres::database_error& why) {
        fails(why.what(), "see what it says");
        return exit_status::failed;
    }
}

exit_status run(const options& given)
{
    tolerance within;
    if (!given.longest_transaction.empty()) {
        const auto longest = config::parse_duration(given.longest_transaction);
        if (!longest) {
            std::cerr << "rowcast: --longest-transaction wants a duration like 30s, 5m or 1h.\n";
            return exit_status::usage;
        }
        within.transaction = std::chrono::floor<seconds>(*longest);
    }
    std::optional<config::configuration> file;
    if (!given.database.file.empty()) {
        auto loaded = read_configuration(given.database.file);
        if (const auto* failed = std::get_if<exit_status>(&loaded)) {
            return *failed;
        }
        file = std::get<config::configuration>(std::move(loaded));
    }
    const auto url = find_database(given.database);
    if (const auto* failed = std::get_if<exit_status>(&url)) {
        return *failed;
    }
    std::vector<examination> all;
    if (file) {
        look_at(*file, given.database.file, all);
    }
    const exit_status reached = look_at(given.database.file, std::get<std::string>(url), file ? &*file : nullptr, within, all);
    std::cout << (given.json ? diagnosis_json(all) + "\n" : diagnosis_text(all, painter(wants_colour(STDOUT_FILENO))));
    return reached == exit_status::ok && has_errors(all) ? exit_status::failed : reached;
}

} // namespace

std::vector<examination> examine(const config::configuration& file, const std::string& name)
{
    std::vector<examination> all;
    look_at(file, name, all);
    look_at(name, file.database.url, &file, {}, all);
    return all;
}

void add_doctor(CLI::App& program, action& chosen)
{
    auto given = std::make_shared<options>();
    CLI::App* command =
        program.add_subcommand("doctor", "What a DBA would look at: what is wrong, why it matters, what to do");
    add_database_options(*command, given->database);
    command
        ->add_option("--longest-transaction", given->longest_transaction,
                     "How long transactions may be open (default: 5m)")
        ->type_name("DURATION");
    command->add_flag("--json", given->json, "For programs");
    command->footer("With --config it also looks at the files, key sets and limits that the bridge needs, and at the "
                    "rights of the\n"
                    "role that it connects as. It changes nothing.\n\n"
                    "Exit status: 0 there is no error (warnings there may be), 1 there is, 3 the configuration is "
                    "invalid, 4 the database\n"
                    "cannot be reached.\n\n"
                    "  rowcast doctor --config config/bridge.yaml --database postgresql://postgres@localhost/shop");
    on_chosen(*command, chosen, given, run);
}

} // namespace rowcast::cli
