export default async () => 'anonymous arrow'
