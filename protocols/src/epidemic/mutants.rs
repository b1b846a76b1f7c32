//! The replicated database gone wrong, one bug each. See [`crate::mutant`].

crate::mutants! {
    /// A deletion removes the item and leaves no death certificate.
    NoCertificate = "no-certificate",
        breaks ["acknowledged-survives", "all-agree"],
        source "Demers et al. §2: without a certificate the item comes back from a site that still has it";
    /// A death certificate is forgotten after an eighth of its time.
    CertificateGoesEarly = "certificate-goes-early",
        breaks ["certificates-by-rule"],
        source "Demers et al. §2: the threshold τ1";
    /// Retention sites forget a certificate when all others do.
    NothingDormant = "nothing-dormant",
        breaks ["certificates-by-rule"],
        source "Demers et al. §2.1: dormant death certificates";
    /// A dormant certificate stays dormant when an item that it cancels comes back.
    SleepsOn = "sleeps-on",
        breaks ["no-resurrection"],
        source "Demers et al. §2.1: a dormant certificate is awakened by an obsolete item";
    /// An awakened certificate keeps its old activation timestamp, and goes to sleep again at once.
    AwakensStale = "awakens-stale",
        breaks ["certificates-by-rule"],
        source "Demers et al. §2.2: activation timestamps";
    /// Comparisons leave death certificates out.
    ComparesWithoutCertificates = "compares-without-certificates",
        breaks ["all-agree"],
        source "Demers et al. §2: certificates spread as items do; Merkle trees that ignore tombstones";
    /// Checksums are of keys, and don't change when a value does.
    ChecksumOfKeys = "checksum-of-keys",
        breaks ["all-agree"],
        source "Demers et al. §1.3: the checksum is of the contents";
    /// The checksum of a bucket is the exclusive or of the timestamps as they are: two differences in the same bits cancel out.
    XorOfTimestamps = "xor-of-timestamps",
        breaks ["all-agree"],
        source "Demers et al. §1.3: sites with equal checksums are taken to be the same; bucket hashes by exclusive or";
    /// Of two items with equal times the one that comes last wins.
    TiesToTheLast = "ties-to-the-last",
        breaks ["newest-wins", "all-agree"],
        source "Demers et al. §1.1: timestamps are globally unique";
    /// An update is stamped with what the clock shows, also where the site has an item from a clock that is ahead.
    StampsBehind = "stamps-behind",
        breaks ["newest-wins"],
        source "last writer wins by wall clock: an update is lost to skew";
    /// An update is stamped later than what is under its key, and not than a certificate that was forgotten or is dormant.
    StampsBehindTheBuried = "stamps-behind-the-buried",
        breaks ["newest-wins", "acknowledged-survives"],
        source "Demers et al. §2: a certificate cancels what is older, also where its site has forgotten it and its clock was set back";
    /// What another site has sent holds before it is on disk.
    HoldsBeforeTheDisk = "holds-before-the-disk",
        breaks ["newest-wins", "no-resurrection"],
        source "Demers et al. §0.1, §2: the database of a site is stable; a certificate that a crash takes is no longer at the others";
    /// A client is told that its update is done before it is on disk.
    AcknowledgesEarly = "acknowledges-early",
        breaks ["acknowledged-survives"],
        source "persist before reply: a site's database survives its crashes (Demers et al. §0.1)";
    /// A site takes an item that it was sent without comparing it with what it has.
    TakesEverything = "takes-everything",
        breaks ["newest-wins"],
        source "Demers et al. §1.1: an update is applied if its timestamp is higher";
}
