#pragma once

#include <string>
#include <string_view>

namespace rowcast::test {

// A key pair of an issuer of tokens, generated for the test.
class issuer {
public:
    // For an algorithm of RFC 7518 section 3.1 or EdDSA. RSA keys take a while to make.
    explicit issuer(std::string_view algorithm, std::string key_id = "", unsigned rsa_bits = 2048);

    const std::string& algorithm() const { return algorithm_; }
    const std::string& public_jwk() const { return public_; } // JSON
    std::string public_pem() const;
    std::string private_pem() const;
    std::string token(const std::string& claims) const;

private:
    std::string algorithm_;
    std::string key_id_;
    std::string private_;
    std::string public_;
};

// {"keys":[...]}
std::string key_set_of(std::initializer_list<std::string> jwks);

} // namespace rowcast::test
