#pragma once

#include <filesystem>
#include <string>

namespace rowcast::support {

/// A certificate of one's own for 127.0.0.1 and its key, two PEM files that go with it. Another one is another key.
class certificate {
public:
    explicit certificate(const std::string& name, int days_left = 30);
    ~certificate();
    certificate(const certificate&) = delete;

    /// Writes the other's over this one's, as a renewal does.
    void become(const certificate& other) const;

    std::string file() const { return folder_ / "certificate.pem"; }
    std::string key() const { return folder_ / "key.pem"; }

private:
    std::filesystem::path folder_;
};

}
