//! A line to another laptop: TLS 1.3 whose two ends are the devices' own keys (RFC 7250), and messages on it.

use std::{sync::Arc, time::Duration};

use ed25519_dalek::SigningKey;
use minicbor::{Decode, Encode};
use rabta_wire::nearby::MESSAGE;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, Error, ServerConfig,
    SignatureScheme,
    client::{
        AlwaysResolvesClientRawPublicKeys,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, verify_tls13_signature_with_raw_key},
    server::{
        AlwaysResolvesServerRawPublicKeys,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
    sign::CertifiedKey,
};
use rustls_pki_types::{
    CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, SubjectPublicKeyInfoDer, UnixTime,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};

use super::NearbyError;

/// Nobody waits longer for one message.
const PATIENCE: Duration = Duration::from_secs(30);
/// An Ed25519 SubjectPublicKeyInfo (RFC 8410, section 4) before the key's 32 bytes.
const SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
/// An Ed25519 PKCS #8 key (RFC 8410, section 7) before the seed's 32 bytes.
const PKCS8: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// Both ends of TLS for one device.
#[derive(Clone)]
pub(super) struct Ends {
    acceptor: TlsAcceptor,
    connector: TlsConnector,
}

/// A line whose far end holds `key`.
pub(super) struct Line<T> {
    stream: TlsStream<T>,
    pub key: [u8; 32],
}

impl Ends {
    pub fn of(key: &SigningKey) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let secret = PrivateKeyDer::from(PrivatePkcs8KeyDer::from([&PKCS8[..], &key.to_bytes()].concat()));
        let signing = provider.key_provider.load_private_key(secret).expect("ring signs with Ed25519");
        let spki = [&SPKI[..], key.verifying_key().as_bytes()].concat();
        let own = Arc::new(CertifiedKey::new(vec![CertificateDer::from(spki)], signing));
        let any = Arc::new(AnyDevice(provider.clone()));
        let tls13 = &[&rustls::version::TLS13];
        let server = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(tls13)
            .expect("ring has cipher suites for TLS 1.3")
            .with_client_cert_verifier(any.clone())
            .with_cert_resolver(Arc::new(AlwaysResolvesServerRawPublicKeys::new(own.clone())));
        let client = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(tls13)
            .expect("ring has cipher suites for TLS 1.3")
            .dangerous()
            .with_custom_certificate_verifier(any)
            .with_client_cert_resolver(Arc::new(AlwaysResolvesClientRawPublicKeys::new(own)));
        Self { acceptor: Arc::new(server).into(), connector: Arc::new(client).into() }
    }

    pub async fn accept<T: AsyncRead + AsyncWrite + Unpin>(&self, tcp: T) -> Result<Line<T>, NearbyError> {
        let stream =
            timeout(PATIENCE, self.acceptor.accept(tcp)).await.map_err(|_| NearbyError::Silent)??;
        let key = far_key(stream.get_ref().1.peer_certificates())?;
        Ok(Line { stream: stream.into(), key })
    }

    pub async fn connect<T: AsyncRead + AsyncWrite + Unpin>(&self, tcp: T) -> Result<Line<T>, NearbyError> {
        let name = ServerName::try_from("rabta").expect("a name");
        let stream =
            timeout(PATIENCE, self.connector.connect(name, tcp)).await.map_err(|_| NearbyError::Silent)??;
        let key = far_key(stream.get_ref().1.peer_certificates())?;
        Ok(Line { stream: stream.into(), key })
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> Line<T> {
    pub async fn say(&mut self, message: &impl Encode<()>) -> Result<(), NearbyError> {
        let bytes = minicbor::to_vec(message).expect("encoding into memory cannot fail");
        let length = u32::try_from(bytes.len()).expect("messages are below their limit");
        let sent = async {
            self.stream.write_all(&length.to_be_bytes()).await?;
            self.stream.write_all(&bytes).await?;
            self.stream.flush().await
        };
        Ok(timeout(PATIENCE, sent).await.map_err(|_| NearbyError::Silent)??)
    }

    pub async fn hear<M: for<'a> Decode<'a, ()>>(&mut self) -> Result<M, NearbyError> {
        let heard = async {
            let length = self.stream.read_u32().await? as usize;
            if length > MESSAGE {
                return Err(NearbyError::Malformed);
            }
            let mut bytes = vec![0; length];
            self.stream.read_exact(&mut bytes).await?;
            minicbor::decode(&bytes).map_err(|_| NearbyError::Malformed)
        };
        timeout(PATIENCE, heard).await.map_err(|_| NearbyError::Silent)?
    }

    /// The far side has said all, too.
    pub async fn close(mut self) {
        let _ = timeout(PATIENCE, self.stream.shutdown()).await;
    }
}

fn far_key(chain: Option<&[CertificateDer<'_>]>) -> Result<[u8; 32], NearbyError> {
    let key = chain.and_then(<[_]>::first).and_then(|spki| spki.strip_prefix(&SPKI[..]));
    key.and_then(|key| key.try_into().ok()).ok_or(NearbyError::Malformed)
}

/// Takes any Ed25519 key whose holder answers: whose it is, the certificate in the first message says.
#[derive(Debug)]
struct AnyDevice(Arc<CryptoProvider>);

impl AnyDevice {
    fn is_device(spki: &CertificateDer<'_>) -> Result<(), Error> {
        if spki.len() == SPKI.len() + 32 && spki.starts_with(&SPKI) {
            Ok(())
        } else {
            Err(Error::InvalidCertificate(CertificateError::BadEncoding))
        }
    }

    fn signed(
        &self,
        message: &[u8],
        spki: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let key = SubjectPublicKeyInfoDer::from(spki.as_ref());
        verify_tls13_signature_with_raw_key(message, &key, dss, &self.0.signature_verification_algorithms)
    }
}

impl ServerCertVerifier for AnyDevice {
    fn verify_server_cert(
        &self,
        spki: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Self::is_device(spki).map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("TLS 1.3 only".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        spki: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signed(message, spki, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

impl ClientCertVerifier for AnyDevice {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        spki: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Self::is_device(spki).map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("TLS 1.3 only".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        spki: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signed(message, spki, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}
