#include "auth/fetch.hpp"

#include <curl/curl.h>

#include <charconv>
#include <memory>
#include <new>
#include <string_view>

namespace rowcast::auth {
namespace {

constexpr std::size_t most_bytes = 1024 * 1024;
constexpr std::chrono::milliseconds to_connect{5000};

extern "C" std::size_t take_body(char* data, std::size_t one, std::size_t count, void* into)
{
    auto& body = static_cast<fetched*>(into)->body;
    if (body.size() + one * count > most_bytes) {
        return 0; // ends the transfer
    }
    body.append(data, one * count);
    return one * count;
}

// "Cache-Control: public, max-age=3600" (RFC 9111 section 5.2).
extern "C" std::size_t take_header(char* data, std::size_t one, std::size_t count, void* into)
{
    std::string line(data, one * count);
    for (char& c : line) {
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    if (const auto found = line.find("max-age="); line.starts_with("cache-control:") && found != std::string::npos) {
        const char* const digits = line.data() + found + std::string_view("max-age=").size();
        std::int64_t seconds = 0;
        if (std::from_chars(digits, line.data() + line.size(), seconds).ec == std::errc{} && seconds >= 0) {
            static_cast<fetched*>(into)->fresh_for = std::chrono::seconds(seconds);
        }
    }
    return one * count;
}

extern "C" int look_up(void* cancelled, curl_off_t, curl_off_t, curl_off_t, curl_off_t)
{
    return (*static_cast<const std::function<bool()>*>(cancelled))() ? 1 : 0;
}

// Not thread-safe in itself; a function's static is.
void set_up_library()
{
    static const CURLcode done = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (done != CURLE_OK) {
        throw std::bad_alloc();
    }
}

core::failure failed(const std::string& why)
{
    return {core::error_code::unavailable, why};
}

} // namespace

core::result<fetched> fetch(const std::string& url, std::chrono::milliseconds at_most, const std::function<bool()>& cancelled)
{
    set_up_library();
    const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> owned(curl_easy_init(), &curl_easy_cleanup);
    CURL* const curl = owned.get();
    if (!curl) {
        throw std::bad_alloc();
    }
    fetched got;
    char problem[CURL_ERROR_SIZE] = "";
    curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(at_most.count()));
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(to_connect.count()));
    curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "rowcast");
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, problem);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &got);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &take_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &got);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, &look_up);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &cancelled);
    const CURLcode how = curl_easy_perform(curl);
    if (how == CURLE_WRITE_ERROR) {
        return failed("the answer is larger than a megabyte");
    }
    if (how != CURLE_OK) {
        return failed(problem[0] != '\0' ? problem : curl_easy_strerror(how));
    }
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200) {
        return failed("the answer's status is " + std::to_string(status) + ", not 200");
    }
    return got;
}

} // namespace rowcast::auth
